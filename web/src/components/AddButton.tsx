import { Button } from "@mantine/core";
import { Gate } from "./Gate";
import { Icon } from "./icons";

/** What makes a new one of a list. */
export function AddButton({ permission, label, onClick }: { permission: string; label: string; onClick: () => void }) {
  return (
    <Gate permission={permission}>
      {(may) => (
        <Button leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={onClick}>
          {label}
        </Button>
      )}
    </Gate>
  );
}
