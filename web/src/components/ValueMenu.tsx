import { Menu, UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useValueActions } from "./explorer/actions";
import { Icon } from "./icons";
import classes from "./ValueMenu.module.css";

/** One menu for every value: filter, exclude, copy, and what the place adds. */
export function ValueMenu({ field, value, children, extra }: { field: string; value: string; children?: ReactNode; extra?: ReactNode }) {
  const actions = useValueActions();
  const clipboard = useClipboard();
  return (
    <Menu position="bottom-start" keepMounted={false}>
      <Menu.Target>
        <UnstyledButton className={classes.value} aria-label={`${field} ${value}: filter, exclude, copy`}>
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
        <Menu.Item leftSection={<Icon name="copy" />} onClick={() => clipboard.copy(value)}>
          Copy value
        </Menu.Item>
        {extra}
      </Menu.Dropdown>
    </Menu>
  );
}
