import { Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useMay } from "@/api/session";

/** A control that needs a permission: as it is with it, disabled and saying why without. */
export function Gate({ permission, children }: { permission: string; children: (may: boolean) => ReactElement }) {
  const may = useMay(permission);
  if (may) return children(true);
  return (
    <Tooltip label={`This needs the permission ${permission}`}>
      <span data-needs={permission}>{children(false)}</span>
    </Tooltip>
  );
}
