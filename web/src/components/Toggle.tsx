import { Switch, Tooltip } from "@mantine/core";

interface Props {
  /** What is switched. */
  name: string;
  enabled: boolean;
  may: boolean;
  permission: string;
  isPending: boolean;
  onChange: (enabled: boolean) => void;
  /** What switching it off does, where the word is not enough. */
  disable?: string;
}

/** Whether something of a list is on: a switch for who may change it, and what is missing for who may not. */
export function Toggle({ name, enabled, may, permission, isPending, onChange, disable = "Disable" }: Props) {
  return (
    <Tooltip label={may ? (enabled ? disable : "Enable") : `This needs the permission ${permission}`}>
      <Switch size="xs" data-needs={may ? undefined : permission} aria-label={`${name} enabled`} checked={enabled} disabled={!may || isPending} onChange={(event) => onChange(event.currentTarget.checked)} />
    </Tooltip>
  );
}
