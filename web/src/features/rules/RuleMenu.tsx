import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteRule } from "@/api/rules";
import type { Rule } from "@/api/types";
import { Dialog, Form } from "@/components/Dialog";
import { MoreItem, MoreMenu } from "@/components/MoreMenu";
import { RestrictAccess } from "@/components/RestrictAccess";
import { ErrorState } from "@/components/states";
import { stringifySearch } from "@/lib/urlState";
import { saveFile } from "./saveFile";
import classes from "./dialog.module.css";

/** What can be done with a rule as a whole. */
export function RuleMenu({ rule, may, mayCreate, go }: { rule: Rule; may: boolean; mayCreate: boolean; go: (address: string) => void }) {
  const [deleting, setDeleting] = useState(false);
  const [restricting, setRestricting] = useState(false);
  return (
    <>
      <MoreMenu>
        {mayCreate && (
          <MoreItem icon="copy" onClick={() => go(`/rules/new${stringifySearch({ clone: rule.id })}`)}>
            Clone
          </MoreItem>
        )}
        <MoreItem icon="external" onClick={() => download(rule)}>
          Export as JSON
        </MoreItem>
        <MoreItem icon="lock" onClick={() => setRestricting(true)}>
          {may ? "Restrict access …" : "Who may change it …"}
        </MoreItem>
        {may && !rule.isDefault && (
          <MoreItem icon="trash" onClick={() => setDeleting(true)}>
            Delete …
          </MoreItem>
        )}
      </MoreMenu>
      {restricting && <RestrictAccess type="security-rule" id={rule.id} name={rule.customName || rule.name} onClose={() => setRestricting(false)} />}
      {deleting && <Delete rule={rule} go={go} onClose={() => setDeleting(false)} />}
    </>
  );
}

function Delete({ rule, go, onClose }: { rule: Rule; go: (address: string) => void; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteRule(rule.id),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["rules"] });
      go("/rules");
    },
  });
  return (
    <Dialog opened onClose={onClose} title="Delete this rule?">
      <Form busy={remove.isPending} onSubmit={() => remove.mutate()}>
        <p>
          “{rule.name}” raises no signals any more; those that it has raised stay. To pause it, disable it instead.
        </p>
        {remove.error && <ErrorState inline error={remove.error} />}
        <div className={classes.buttons}>
          <Button variant="default" data-autofocus onClick={onClose}>
            Cancel
          </Button>
          <Button loading={remove.isPending} type="submit">
            Delete rule
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** The rule as it is stored, as a file. */
function download(rule: Rule): void {
  const name = rule.name.toLowerCase().replace(/[^a-z0-9]+/g, "_").slice(0, 80) || rule.id;
  saveFile(new Blob([`${JSON.stringify(rule, null, 2)}\n`], { type: "application/json" }), `${name}.json`);
}
