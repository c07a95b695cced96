import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { deleteRules, enableRules, exportRules, RULES_WRITE } from "@/api/rules";
import type { Rule } from "@/api/types";
import page from "@/components/Page.module.css";
import { ErrorState } from "@/components/states";
import { tell, tellFailure } from "@/components/telling";
import { plural } from "@/lib/format";
import dialog from "./dialog.module.css";
import classes from "./list.module.css";
import { saveFile } from "./saveFile";

/** What can be done with several rules at once (siem.md §2.29); what would change nothing is not offered. */
export function Ticked({ rules, may, onDone }: { rules: Rule[]; may: boolean; onDone: () => void }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const ids = rules.map((rule) => rule.id);
  const own = rules.filter((rule) => !rule.isDefault);
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
  const save = useMutation({ mutationFn: () => exportRules(ids), onSuccess: (file) => saveFile(file, "rules.zip") });
  const error = enable.error ?? save.error;
  return (
    <div className={classes.ticked} role="region" aria-label="Ticked rules">
      <strong>{plural(rules.length, "rule")} ticked</strong>
      {!may && <span className={page.dim}>Changing rules needs the permission {RULES_WRITE}</span>}
      <div className={page.end}>
        {may && rules.some((rule) => !rule.isEnabled) && (
          <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate(true)}>
            Enable
          </Button>
        )}
        {may && rules.some((rule) => rule.isEnabled) && (
          <Button variant="default" loading={enable.isPending} onClick={() => enable.mutate(false)}>
            Disable
          </Button>
        )}
        <Button variant="default" loading={save.isPending} onClick={() => save.mutate()}>
          Export
        </Button>
        {may && own.length > 0 && (
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
        <Modal opened onClose={() => setDeleting(false)} title={`Delete ${plural(own.length, "rule")}?`}>
          <p>
            They raise no signals any more; those that they have raised stay. {own.length < rules.length && `The other ${plural(rules.length - own.length, "rule")} ticked came with Tocsin and can only be disabled.`}
          </p>
          {remove.error && <ErrorState inline error={remove.error} />}
          <div className={dialog.buttons}>
            <Button variant="default" data-autofocus onClick={() => setDeleting(false)}>
              Cancel
            </Button>
            <Button loading={remove.isPending} onClick={() => remove.mutate()}>
              Delete {plural(own.length, "rule")}
            </Button>
          </div>
        </Modal>
      )}
    </div>
  );
}
