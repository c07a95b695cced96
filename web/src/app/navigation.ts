/** The pages behind the sign-in, in the groups and the order in which the navigation shows them. A new page is one line here. */
import type { ComponentType } from "react";
import type { IconName } from "@/components/icons";

export interface NavigationItem {
  to: string;
  label: string;
  icon: IconName;
  /** Without it the page is not offered. */
  permission?: string;
  /** The page itself. The router makes a route of it; left out where `router.tsx` has one of its own with typed parameters. */
  load?: () => Promise<{ default: ComponentType }>;
}

export interface NavigationGroup {
  label: string;
  items: readonly NavigationItem[];
}

export const NAVIGATION: readonly NavigationGroup[] = [
  {
    label: "Investigate",
    items: [
      { to: "/signals", label: "Signals", icon: "signals", permission: "security_monitoring_signals_read" },
      { to: "/logs", label: "Logs", icon: "logs", permission: "logs_read_data" },
    ],
  },
  {
    label: "Detect",
    items: [
      { to: "/rules", label: "Rules", icon: "rules", permission: "security_monitoring_rules_read" },
      { to: "/suppressions", label: "Suppressions", icon: "suppressions", permission: "security_monitoring_suppressions_read", load: () => import("./pages/Suppressions") },
      { to: "/attack", label: "ATT&CK map", icon: "attack", permission: "security_monitoring_rules_read", load: () => import("./pages/Attack") },
      { to: "/coverage", label: "Coverage", icon: "coverage", permission: "security_monitoring_rules_read", load: () => import("./pages/Coverage") },
      { to: "/jobs", label: "Historical jobs", icon: "jobs", permission: "security_monitoring_rules_read", load: () => import("./pages/Jobs") },
    ],
  },
  {
    label: "Data",
    items: [
      { to: "/packs", label: "Content packs", icon: "packs", permission: "security_monitoring_rules_read", load: () => import("./pages/Packs") },
      { to: "/pipelines", label: "Pipelines", icon: "pipelines", permission: "logs_read_config", load: () => import("./pages/Pipelines") },
      { to: "/tables", label: "Reference tables", icon: "tables", permission: "reference_tables_read", load: () => import("./pages/Tables") },
      { to: "/intel", label: "Threat intelligence", icon: "intel", permission: "security_monitoring_signals_read", load: () => import("./pages/Intel") },
      { to: "/security-filters", label: "Security filters", icon: "filter", permission: "security_monitoring_filters_read", load: () => import("./pages/SecurityFilters") },
    ],
  },
  {
    label: "Organisation",
    items: [{ to: "/settings", label: "Settings", icon: "settings" }],
  },
];

/** What somebody may see of the navigation; a group without a page is left out. */
export function offered(groups: readonly NavigationGroup[], may: (permission: string) => boolean): NavigationGroup[] {
  return groups
    .map((group) => ({ ...group, items: group.items.filter(({ permission }) => permission === undefined || may(permission)) }))
    .filter((group) => group.items.length > 0);
}
