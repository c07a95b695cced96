import { Menu, UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";
import { isPlainClick } from "./AppLink";
import { beginningOf } from "@/lib/format";
import { useValueActions } from "./explorer/actions";
import { Icon, type IconName } from "./icons";
import classes from "./ValueMenu.module.css";

/** One menu for every value: filter, exclude, copy, and what the place adds. */
export function ValueMenu({ field, value, children, extra }: { field: string; value: string; children?: ReactNode; extra?: ReactNode }) {
  const actions = useValueActions();
  const clipboard = useClipboard();
  const found = actions?.elsewhere(field, value) ?? null;
  return (
    <Menu position="bottom-start" keepMounted={false}>
      <Menu.Target>
        <UnstyledButton className={classes.value} aria-label={`${field} ${beginningOf(value)}: filter, exclude, copy`}>
          {children ?? value}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label className="truncate" maw={360}>
          {field}:{value}
        </Menu.Label>
        {actions && (
          <>
            <Menu.Item leftSection={<Icon name="filter" />} onClick={() => actions.include(field, value)}>
              Filter by this value
            </Menu.Item>
            <Menu.Item leftSection={<Icon name="exclude" />} onClick={() => actions.exclude(field, value)}>
              Exclude this value
            </Menu.Item>
          </>
        )}
        {found && (
          <MenuLink to={found.address} icon={found.icon}>
            {found.label}
          </MenuLink>
        )}
        <Menu.Item leftSection={<Icon name="copy" />} onClick={() => clipboard.copy(value)}>
          Copy value
        </Menu.Item>
        {extra}
      </Menu.Dropdown>
    </Menu>
  );
}

function MenuLink({ to, icon, children }: { to: string; icon: IconName; children: ReactNode }) {
  const router = useRouter();
  return (
    <Menu.Item
      component="a"
      href={to}
      leftSection={<Icon name={icon} />}
      onClick={(event: MouseEvent) => {
        if (!isPlainClick(event)) return;
        event.preventDefault();
        router.history.push(to);
      }}
    >
      {children}
    </Menu.Item>
  );
}
