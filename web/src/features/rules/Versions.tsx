import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { restoreRule, ruleHistoryQuery, ruleQuery } from "@/api/rules";
import type { Rule } from "@/api/types";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import classes from "./rules.module.css";

/** Who changed what, newest first; an older version can be brought back. */
export function Versions({ rule, may }: { rule: Rule; may: boolean }) {
  const client = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(ruleHistoryQuery(rule.id));
  const restore = useMutation({
    mutationFn: (version: number) => restoreRule(rule.id, version),
    onSuccess: (restored) => {
      client.setQueryData(ruleQuery(rule.id).queryKey, restored);
      void client.invalidateQueries({ queryKey: ["rule", rule.id, "history"] });
      void client.invalidateQueries({ queryKey: ["rules"] });
    },
  });
  if (isPending) return <SkeletonRows rows={4} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  const versions = Object.entries(data.data.attributes.data).sort(([left], [right]) => Number(right) - Number(left));
  return (
    <>
      {restore.error && <ErrorState inline error={restore.error} />}
      <ol className={classes.versions}>
        {versions.map(([version, { rule: then, changes }]) => (
          <li key={version} className={classes.version}>
            <div className={classes.versionHead}>
              <strong>Version {version}</strong>
              <span className={classes.dim}>
                {then.updater?.name || then.updater?.handle || then.creator?.name || then.creator?.handle || "Tocsin"}
                {(then.updatedAt ?? then.createdAt) ? (
                  <>
                    , <AbsoluteTime time={then.updatedAt ?? then.createdAt ?? 0} />
                  </>
                ) : null}
              </span>
              {Number(version) === rule.version ? (
                <span className={classes.dim}>current</span>
              ) : (
                may && (
                  <Button variant="default" loading={restore.isPending && restore.variables === Number(version)} onClick={() => restore.mutate(Number(version))}>
                    Restore
                  </Button>
                )
              )}
            </div>
            {changes.length === 0 && version === "1" && <p className={classes.dim}>Created</p>}
            {changes.length > 0 && (
              <ul className={classes.changes}>
                {changes.map((change, index) => (
                  <li key={index}>
                    <code>{change.field}</code> {change.change || `${change.type}d`}
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
