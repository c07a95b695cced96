import { Switch, Tooltip } from "@mantine/core";
import { Because, Needs } from "./Gate";

interface Props {
  /** What is switched. */
  name: string;
  enabled: boolean;
  may: boolean;
  permission: string;
  /** Why who holds the permission may not switch it all the same. */
  closed?: string;
  isPending: boolean;
  onChange: (enabled: boolean) => void;
  /** What switching it off does, where the word is not enough. */
  disable?: string;
}

/** Whether something of a list is on: a switch for who may change it, and what is missing for who may not. */
export function Toggle({ name, enabled, may, permission, closed, isPending, onChange, disable = "Disable" }: Props) {
  const label = `${name} enabled`;
  if (!may) {
    return (
      <Needs permission={permission}>
        <Switch size="xs" aria-label={label} checked={enabled} disabled />
      </Needs>
    );
  }
  if (closed !== undefined) {
    return (
      <Because reason={closed}>
        <Switch size="xs" aria-label={label} checked={enabled} disabled />
      </Because>
    );
  }
  // Disabled for the moment it would lose the focus, and who came by Tab their place in the list.
  return (
    <Tooltip label={enabled ? disable : "Enable"}>
      <Switch size="xs" aria-label={label} aria-disabled={isPending || undefined} checked={enabled} onChange={(event) => !isPending && onChange(event.currentTarget.checked)} />
    </Tooltip>
  );
}
