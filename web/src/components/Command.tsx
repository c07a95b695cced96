import { Button, CopyButton } from "@mantine/core";
import classes from "./Command.module.css";

/** Something to be copied into a terminal or a file. */
export function Command({ text, label }: { text: string; label?: string }) {
  return (
    <div className={classes.command}>
      <pre>{text}</pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button variant="default" flex="none" ml="auto" aria-label={label && !copied ? `Copy: ${label}` : undefined} onClick={copy}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
