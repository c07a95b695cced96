import { Menu } from "@mantine/core";
import { Icon } from "@/components/icons";
import classes from "./Explorer.module.css";
import type { ExplorerColumn } from "./model";

interface Props {
  shown: ExplorerColumn[];
  /** The track's columns, and further ones that are shown. */
  offered: ExplorerColumn[];
  onColumns: (ids: string[]) => void;
}

/** Which columns the list shows. */
export function ColumnMenu({ shown, offered, onColumns }: Props) {
  const ids = shown.map((column) => column.id);
  return (
    <Menu position="top-end" closeOnItemClick={false}>
      <Menu.Target>
        <button type="button" className={classes.columns}>
          <Icon name="columns" size={12} /> Columns
        </button>
      </Menu.Target>
      <Menu.Dropdown mah={440} style={{ overflowY: "auto" }}>
        {offered.map((column) => {
          const on = ids.includes(column.id);
          return (
            <Menu.Item
              key={column.id}
              role="menuitemcheckbox"
              aria-checked={on}
              leftSection={<span className={classes.mark}>{on && <Icon name="check" size={13} />}</span>}
              disabled={on && shown.length === 1}
              onClick={() => onColumns(offered.map((each) => each.id).filter((id) => (id === column.id ? !on : ids.includes(id))))}
            >
              {column.header}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
