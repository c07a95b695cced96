import { Button, Radio } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { restoreRule, ruleHistoryQuery, ruleQuery } from "@/api/rules";
import type { Rule } from "@/api/types";
import { Dialog, Form } from "@/components/Dialog";
import { ErrorState, SkeletonRows } from "@/components/states";
import { tell } from "@/components/telling";
import { AbsoluteTime } from "@/components/Time";
import dialog from "./dialog.module.css";
import { RuleDiff } from "./RuleDiff";
import classes from "./versions.module.css";

interface Props {
  rule: Rule;
  may: boolean;
  /** There are changes that nobody saved: a restored version would take their place. */
  isDirty: boolean;
  onRestored: (rule: Rule) => void;
}

/** Who changed what and when; any two versions beside each other; an older one brought back as a new one. */
export function Versions({ rule, may, isDirty, onRestored }: Props) {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(ruleHistoryQuery(rule.id));
  const [chosen, setChosen] = useState<{ before: number; after: number } | null>(null);
  const [restoring, setRestoring] = useState<number | null>(null);
  if (isPending) return <SkeletonRows rows={4} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  const versions = data.pages.flatMap((page) => Object.values(page.data.attributes.data)).sort((left, right) => right.rule.version - left.rule.version);
  const at = (version: number | undefined) => versions.find((each) => each.rule.version === version)?.rule;
  const after = at(chosen?.after) ?? versions[0]?.rule;
  const before = at(chosen?.before) ?? versions[1]?.rule;
  return (
    <div className={classes.page}>
      <div className={classes.list}>
        <table className={classes.versions}>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Version</th>
              <th scope="col">By</th>
              <th scope="col">Changed</th>
              <th scope="col">
                <span className="visually-hidden">Restore</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.map(({ rule: then, changes }) => {
              const { version } = then;
              const time = then.updatedAt ?? then.createdAt;
              return (
                <tr key={version}>
                  <td>
                    <Radio size="xs" aria-label={`Compare from version ${String(version)}`} checked={before?.version === version} onChange={() => setChosen({ before: version, after: after?.version ?? version })} />
                  </td>
                  <td>
                    <Radio size="xs" aria-label={`Compare to version ${String(version)}`} checked={after?.version === version} onChange={() => setChosen({ before: before?.version ?? version, after: version })} />
                  </td>
                  <td>
                    <strong>{version}</strong> {version === rule.version && <span className={classes.dim}>current</span>}
                  </td>
                  <td>
                    {then.updater?.name || then.updater?.handle || then.creator?.name || then.creator?.handle || "Tocsin"}
                    {time ? (
                      <span className={classes.dim}>
                        , <AbsoluteTime time={time} />
                      </span>
                    ) : null}
                  </td>
                  <td className={classes.changes}>{changes.length > 0 ? changes.map((change) => change.field).join(", ") : version === 1 ? "Created" : "–"}</td>
                  <td>
                    {may && !rule.isDefault && version !== rule.version && (
                      <Button variant="default" aria-label={`Restore version ${String(version)}`} onClick={() => setRestoring(version)}>
                        Restore
                      </Button>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {hasNextPage && (
          <Button variant="default" mt="xs" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show more
          </Button>
        )}
      </div>
      {before && after && before !== after ? <RuleDiff before={before} after={after} /> : <p className={classes.dim}>{versions.length < 2 ? "This is the only version: once the rule is changed, the two can be compared here." : "Choose two different versions to compare."}</p>}
      {restoring !== null && <Restore rule={rule} version={restoring} isDirty={isDirty} onRestored={onRestored} onClose={() => setRestoring(null)} />}
    </div>
  );
}

function Restore({ rule, version, isDirty, onRestored, onClose }: Omit<Props, "may"> & { version: number; onClose: () => void }) {
  const client = useQueryClient();
  const restore = useMutation({
    mutationFn: () => restoreRule(rule.id, version),
    onSuccess: (restored) => {
      onClose();
      tell(`Version ${String(version)} is back, as version ${String(restored.version)}`);
      client.setQueryData(ruleQuery(rule.id).queryKey, restored);
      onRestored(restored);
      void client.invalidateQueries({ queryKey: ruleHistoryQuery(rule.id).queryKey });
      void client.invalidateQueries({ queryKey: ["rules"] });
    },
  });
  return (
    <Dialog opened onClose={onClose} title={`Restore version ${String(version)}?`}>
      <Form busy={restore.isPending} onSubmit={() => restore.mutate()}>
        <p>
          It becomes version {rule.version + 1}; version {rule.version} stays in the history. {isDirty && <strong>The changes that you have not saved are lost.</strong>}
        </p>
        {restore.error && <ErrorState inline error={restore.error} />}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button data-autofocus loading={restore.isPending} type="submit">
            Restore
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}
