import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useMay } from "@/api/session";

/** A control that needs a permission: as it is with it, disabled and saying why without. */
export function Gate({ permission, children }: { permission: string; children: (may: boolean) => ReactElement }) {
  const may = useMay(permission);
  if (may) return children(true);
  return <Needs permission={permission}>{children(false)}</Needs>;
}

/** Around what is disabled: the missing permission, for the pointer, for a finger, by Tab and for who listens. */
export function Needs({ permission, children }: { permission: string; children: ReactElement }) {
  return (
    <Because reason={`This needs the permission ${permission}`} needs={permission}>
      {children}
    </Because>
  );
}

/** The same for any other reason, such as a restriction. */
export function Because({ reason, needs = "", children }: { reason: string; needs?: string; children: ReactElement }) {
  return (
    <Tooltip label={reason}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a disabled control takes no focus, and its reason is to be read all the same */}
      <span data-needs={needs} role="group" aria-label={reason} tabIndex={0}>
        {children}
      </span>
    </Tooltip>
  );
}
