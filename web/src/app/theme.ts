import { ActionIcon, Badge, Button, createTheme, type CSSVariablesResolver, Input, Menu, Modal, Notification, Pill, Popover, SegmentedControl, Tooltip } from "@mantine/core";

/** Mantine dressed in our tokens (`tokens.css`); one accent, no red outside severity. */
export const theme = createTheme({
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  headings: { fontWeight: "600" },
  defaultRadius: 5,
  primaryColor: "accent",
  primaryShade: 6,
  colors: {
    accent: ["#eef2fd", "#dbe4fb", "#b6c8f6", "#8fabfa", "#7d9ff9", "#6f94f8", "#2f54c8", "#2b4dba", "#2443a3", "#1d3685"],
    dark: ["#e4e9f1", "#c5cedb", "#a2adbd", "#8f9bad", "#3a4557", "#2f3948", "#1d2430", "#161b24", "#12171f", "#0f131a"],
  },
  components: {
    Button: Button.extend({ defaultProps: { size: "xs" }, styles: { label: { fontWeight: 550 } } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray", size: "sm" } }),
    Badge: Badge.extend({ defaultProps: { variant: "default", radius: 4, size: "sm" }, styles: { root: { textTransform: "none", fontWeight: 500 } } }),
    Tooltip: Tooltip.extend({ defaultProps: { events: { hover: true, focus: true, touch: true }, openDelay: 350, withArrow: false, fz: 12, multiline: true, maw: 420 } }),
    SegmentedControl: SegmentedControl.extend({ styles: { root: { backgroundColor: "var(--bar-tint)" }, label: { color: "var(--text)", fontWeight: 500 } } }),
    // Both would be 10px.
    InputWrapper: Input.Wrapper.extend({ styles: { description: { fontSize: 11 } } }),
    Pill: Pill.extend({ styles: { root: { fontSize: 11 } } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", withinPortal: true, withInitialFocusPlaceholder: false }, styles: { item: { padding: "5px 10px", fontSize: 13 }, label: { fontSize: 12, color: "var(--dim)" } } }),
    Popover: Popover.extend({ defaultProps: { shadow: "md", withinPortal: true } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } }, styles: { description: { color: "var(--text)" } } }),
    Modal: Modal.extend({ defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 80 } } }),
  },
});

export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-text": "var(--text)",
    "--mantine-color-dimmed": "var(--dim)",
    "--mantine-color-placeholder": "var(--faint)",
    "--mantine-color-default-border": "var(--line-strong)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--hover)",
    "--mantine-color-default-color": "var(--text)",
    "--mantine-color-error": "var(--fault)",
    "--mantine-primary-color-contrast": "var(--on-solid)",
    "--mantine-color-accent-filled": "var(--solid)",
    "--mantine-color-accent-filled-hover": "var(--solid-hover)",
    "--mantine-color-accent-light": "var(--accent-soft)",
    "--mantine-color-accent-light-hover": "var(--active)",
    "--mantine-color-accent-light-color": "var(--accent-text)",
    "--mantine-color-gray-light-color": "var(--dim)",
    "--mantine-color-anchor": "var(--accent-text)",
  };
  return { variables: {}, light: shared, dark: shared };
};
