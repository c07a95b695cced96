import { Tabs as MantineTabs } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Tabs.module.css";

export interface Tab {
  id: string;
  label: ReactNode;
  content: ReactNode;
}

interface Props {
  tabs: Tab[];
  value: string | null;
  onChange: (id: string) => void;
  label: string;
  /** Without a margin, for content that has its own. */
  flush?: boolean;
}

/** Tabs whose choice lives in the address. */
export function Tabs({ tabs, value, onChange, label, flush = false }: Props) {
  const chosen = tabs.some((tab) => tab.id === value) ? value : (tabs[0]?.id ?? null);
  return (
    <MantineTabs value={chosen} onChange={(id) => id && onChange(id)} keepMounted={false} classNames={{ list: classes.list, tab: classes.tab, panel: flush ? undefined : classes.panel }}>
      <MantineTabs.List aria-label={label}>
        {tabs.map((tab) => (
          <MantineTabs.Tab key={tab.id} value={tab.id}>
            {tab.label}
          </MantineTabs.Tab>
        ))}
      </MantineTabs.List>
      {tabs.map((tab) => (
        <MantineTabs.Panel key={tab.id} value={tab.id}>
          {tab.content}
        </MantineTabs.Panel>
      ))}
    </MantineTabs>
  );
}
