import { ActionIcon, Menu } from "@mantine/core";
import type { ReactNode } from "react";
import { Icon, type IconName } from "./icons";

/** What else can be done with something, behind three dots. */
export function MoreMenu({ label = "More", children }: { label?: string; children: ReactNode }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={label}>
          <Icon name="dots" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}

export function MoreItem({ icon, onClick, children }: { icon: IconName; onClick: () => void; children: ReactNode }) {
  return (
    <Menu.Item leftSection={<Icon name={icon} />} onClick={onClick}>
      {children}
    </Menu.Item>
  );
}
