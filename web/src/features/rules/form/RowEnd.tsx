import { ActionIcon } from "@mantine/core";
import { Icon } from "@/components/icons";
import classes from "./form.module.css";

/** What can be done with one row of a list: moved before the one above it, removed. */
export function RowEnd({ what, onUp, onRemove }: { what: string; onUp?: () => void; onRemove?: () => void }) {
  return (
    <div className={classes.rowEnd}>
      {onUp && (
        <ActionIcon aria-label={`Move ${what} up`} onClick={onUp}>
          <Icon name="chevronUp" />
        </ActionIcon>
      )}
      {onRemove && (
        <ActionIcon aria-label={`Remove ${what}`} onClick={onRemove}>
          <Icon name="trash" />
        </ActionIcon>
      )}
    </div>
  );
}
