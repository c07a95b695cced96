import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Restriction } from "@/api/restrictions";
import { deleteRules, enableRules, exportRules, RULES_WRITE } from "@/api/rules";
import type { Rule } from "@/api/types";
import { Dialog, Form } from "@/components/Dialog";
import page from "@/components/Page.module.css";
import { ErrorState } from "@/components/states";
import { tell, tellFailure } from "@/components/telling";
import { plural } from "@/lib/format";
import dialog from "./dialog.module.css";
import classes from "./list.module.css";
import { saveFile } from "./saveFile";

/** What can be done with several rules at once (siem.md §2.29); what would change nothing is not offered. */
export function Ticked({ rules, may, restriction, onDone }: { rules: Rule[]; may: boolean; restriction: (id: string) => Restriction | undefined; onDone: () => void }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const open = may ? rules.filter((rule) => restriction(rule.id)?.meta.editable ?? true) : [];
  const closed = rules.length - open.length;
  const ids = open.map((rule) => rule.id);
  const own = open.filter((rule) => !rule.isDefault);
  const shipped = open.length - own.length;
  const onSettled = () => client.invalidateQueries({ queryKey: ["rules"] });
  const enable = useMutation({
    mutationFn: (isEnabled: boolean) => enableRules(ids, isEnabled),
    onSuccess: (refused, isEnabled) => {
      const [first] = refused;
      const nameOf = (id: string) => rules.find((rule) => rule.id === id)?.name ?? id;
      const done = `${plural(ids.length - refused.length, "rule")} ${isEnabled ? "enabled" : "disabled"}`;
      if (first) tellFailure(done, `${plural(refused.length, "rule")} not, first ${nameOf(first.id)}: ${first.reason}`);
      else tell(done);
      onDone();
    },
    onSettled,
  });
  const remove = useMutation({
    mutationFn: () => deleteRules(own.map((rule) => rule.id)),
    onSuccess: (failed) => {
      const done = `${plural(own.length - failed.length, "rule")} deleted`;
      if (failed.length > 0) tellFailure(done, `${plural(failed.length, "rule")} not: ${failed.join(", ")}`);
      else tell(done);
      setDeleting(false);
      onDone();
    },
    onSettled,
  });
  const save = useMutation({ mutationFn: () => exportRules(rules.map((rule) => rule.id)), onSuccess: (file) => saveFile(file, "rules.zip") });
  const error = enable.error ?? save.error;
  return (
    <div className={classes.ticked} role="region" aria-label="Ticked rules">
      <strong>{plural(rules.length, "rule")} ticked</strong>
      {!may && <span className={page.dim}>Changing rules needs the permission {RULES_WRITE}</span>}
      {may && closed > 0 && <span className={page.dim}>{plural(closed, "of them is", "of them are")} restricted to others</span>}
      <div className={page.end}>
        {open.some((rule) => !rule.isEnabled) && (
          <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate(true)}>
            Enable
          </Button>
        )}
        {open.some((rule) => rule.isEnabled) && (
          <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate(false)}>
            Disable
          </Button>
        )}
        <Button variant="default" loading={save.isPending} onClick={() => save.mutate()}>
          Export
        </Button>
        {own.length > 0 && (
          <Button variant="default" onClick={() => setDeleting(true)}>
            Delete …
          </Button>
        )}
        <Button variant="subtle" color="gray" onClick={onDone}>
          Clear
        </Button>
      </div>
      {error && <ErrorState inline error={error} />}
      {deleting && (
        <Dialog opened onClose={() => setDeleting(false)} title={`Delete ${plural(own.length, "rule")}?`}>
          <Form busy={remove.isPending} onSubmit={() => remove.mutate()}>
            <p>
              They raise no signals any more; those that they have raised stay. {shipped > 0 && `${plural(shipped, "ticked rule")} came with Tocsin and can only be disabled. `}
              {closed > 0 && `${plural(closed, "ticked rule is", "ticked rules are")} restricted to others and ${closed === 1 ? "stays" : "stay"}.`}
            </p>
            {remove.error && <ErrorState inline error={remove.error} />}
            <div className={dialog.buttons}>
              <Button variant="default" data-autofocus onClick={() => setDeleting(false)}>
                Cancel
              </Button>
              <Button loading={remove.isPending} type="submit">
                Delete {plural(own.length, "rule")}
              </Button>
            </div>
          </Form>
        </Dialog>
      )}
    </div>
  );
}
