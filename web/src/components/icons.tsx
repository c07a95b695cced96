/** Icons of our own: 16 units, one stroke. They are decoration; names come from the controls around them. */
const PATHS = {
  signals: "M8 2a4 4 0 0 0-4 4v3l-1.2 2.2h10.4L12 9V6a4 4 0 0 0-4-4ZM6.5 13.2a1.6 1.6 0 0 0 3 0",
  logs: "M3 3.5h10M3 6.5h10M3 9.5h7M3 12.5h5",
  rules: "M3 3h10v10H3zM5.5 6.2l1 1 1.8-2M9.8 6.5h1.4M5.5 10.2l1 1 1.8-2M9.8 10.5h1.4",
  attack: "M2.5 2.5h3v3h-3zM6.5 2.500h3v3h-3zM10.500 2.500h3v3h-3zM2.500 6.500h3v3h-3zM6.500 6.500h3v3h-3zM2.500 10.500h3v3h-3z",
  coverage: "M2.500 13.500v-4M5.250 13.500v-7M8 13.500v-9M10.750 13.500v-6M13.500 13.500v-11",
  jobs: "M3 8a5 5 0 1 1 1.500 3.600M3 13.500v-2.700h2.700M8 5.500V8l1.800 1.200",
  suppressions: "M8 2a4 4 0 0 0-4 4v3l-1.200 2.200h10.400L12 9V6a4 4 0 0 0-4-4ZM6.500 13.200a1.600 1.600 0 0 0 3 0M2.500 2.500l11 11",
  pipelines: "M2.500 4h4v3h-4zM9.500 9h4v3h-4zM6.500 5.500H8a3 3 0 0 1 3 3V9",
  tables: "M2.500 3h11v10h-11zM2.500 6.300h11M2.500 9.600h11M6.500 3v10",
  intel: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5ZM8 1v3M8 12v3M1 8h3M12 8h3",
  packs: "M8 1.800 13.500 5v6L8 14.200 2.500 11V5zM2.500 5 8 8.200 13.500 5M8 8.200v6",
  settings: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3v3M6 10v3",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 14 14",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6",
  chevronDown: "m4 6 4 4 4-4",
  chevronRight: "m6 4 4 4-4 4",
  chevronUp: "m4 10 4-4 4 4",
  chevronLeft: "m10 4-4 4 4 4",
  close: "m4 4 8 8M12 4l-8 8",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5Z",
  monitor: "M2.5 3h11v7.5h-11zM6 13.5h4M8 10.5v3",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.3 6.2a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.5-.8 1.1v.3M8 11.3v.2",
  user: "M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8ZM3 13.8c.5-2.3 2.5-3.6 5-3.6s4.500 1.300 5 3.600",
  filter: "M2.500 3.500h11L9.500 8.300v4.200l-3-1.500V8.300z",
  exclude: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.800 3.800l8.400 8.400",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  dots: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  panelLeft: "M2.500 3h11v10h-11zM6.500 3v10",
  columns: "M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10",
  check: "m3 8.500 3.200 3.200L13 5",
  plus: "M8 3v10M3 8h10",
  external: "M9 2.500h4.500V7M13.500 2.500 7.500 8.500M11.500 9.500v4h-9v-9h4",
  alert: "M8 2.200 14.500 13.500h-13zM8 6.500v3.200M8 11.600v.2",
  history: "M3 8a5 5 0 1 0 1.500-3.600M3 2.500v2.700h2.700M8 5.500V8l1.800 1.200",
  lock: "M4 7.500h8v6H4zM5.500 7.500V5.200a2.500 2.500 0 0 1 5 0v2.300",
  archive: "M2.500 3h11v3h-11zM3.500 6v7.500h9V6M6.500 8.500h3",
  sortDown: "M8 3v10M4.500 9.500 8 13l3.500-3.500",
  sortUp: "M8 13V3M4.500 6.500 8 3l3.500 3.500",
  logout: "M9.500 3h-6v10h6M7 8h7M11.500 5.500 14 8l-2.500 2.500",
  upload: "M8 10.500v-8M4.500 6 8 2.500 11.500 6M3 10.500v3h10v-3",
  grip: "M6 3.500h.01M10 3.500h.01M6 8h.01M10 8h.01M6 12.500h.01M10 12.500h.01",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.6 9h5.800l.6-9",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "dots" || name === "grip" ? 2 : 1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
