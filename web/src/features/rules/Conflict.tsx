import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ruleHistoryQuery, ruleQuery } from "@/api/rules";
import type { Rule } from "@/api/types";
import { ErrorState } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import classes from "./rulePage.module.css";

interface Props {
  rule: Rule;
  /** The members that this person has changed. */
  mine: Record<string, unknown>;
  onLoad: (theirs: Rule) => void;
  onKeep: (version: number) => void;
}

/** Somebody else saved the rule first: what they changed, and the choice between theirs and both. */
export function Conflict({ rule, mine, onLoad, onKeep }: Props) {
  const newer = useQuery({ ...ruleQuery(rule.id), queryKey: ["rule-newer", rule.id, String(rule.version)], staleTime: 0, gcTime: 0 });
  const history = useInfiniteQuery({ ...ruleHistoryQuery(rule.id), queryKey: ["rule-newer", rule.id, String(rule.version), "history"], staleTime: 0, gcTime: 0 });
  if (newer.error) return <ErrorState inline error={newer.error} retry={() => void newer.refetch()} />;
  if (!newer.data) return null;
  const theirs = newer.data;
  const versions = Object.values(history.data?.pages[0]?.data.attributes.data ?? {}).filter((each) => each.rule.version > rule.version);
  const fields = [...new Set(versions.flatMap((each) => each.changes.map((change) => change.field)))];
  const both = Object.keys(mine).filter((name) => fields.some((field) => field.split(/[.[]/)[0] === name));
  return (
    <div className={classes.conflict} role="alert">
      <div>
        <strong>{theirs.updater?.name || theirs.updater?.handle || "Somebody"} saved this rule meanwhile</strong>, as version {theirs.version}, <RelativeTime time={theirs.updatedAt ?? null} />.{" "}
        {fields.length > 0 && (
          <>
            Changed: <code>{fields.join(", ")}</code>.{" "}
          </>
        )}
        {both.length > 0 ? `You have changed ${both.join(", ")} too: saving yours takes the place of theirs there.` : "What you have changed is something else: both can be kept."}
      </div>
      <Button variant="default" onClick={() => onLoad(theirs)}>
        Load theirs, drop mine
      </Button>
      <Button variant="default" onClick={() => onKeep(theirs.version)}>
        Keep editing mine
      </Button>
    </div>
  );
}
