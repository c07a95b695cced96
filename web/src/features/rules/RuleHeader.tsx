import { Button, Switch } from "@mantine/core";
import type { Restriction } from "@/api/restrictions";
import { RULES_WRITE } from "@/api/rules";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { RestrictedMark } from "@/components/RestrictAccess";
import { SeverityLabel } from "@/components/Severity";
import { RelativeTime } from "@/components/Time";
import { stringifySearch } from "@/lib/urlState";
import common from "@/components/Page.module.css";
import { useEditor } from "./editor";
import { highestSeverity, text } from "./ruleDraft";
import { RuleMenu } from "./RuleMenu";
import classes from "./rulePage.module.css";

interface Props {
  rule: Rule | null;
  /** Whether the person may change this rule, and why not. */
  may: boolean;
  whyNot: string;
  restriction: Restriction | undefined;
  canSave: boolean;
  isSaving: boolean;
  onSave: () => void;
  /** Null where there is nothing to discard. */
  onDiscard: (() => void) | null;
  go: (address: string) => void;
}

/** What the rule is called, whether it runs, where else it is seen, and what keeps or drops the changes. */
export function RuleHeader({ rule, may, whyNot, restriction, canSave, isSaving, onSave, onDiscard, go }: Props) {
  const { draft, edit, readOnly, isDefault } = useEditor();
  const state = draft.isEnabled ? "Enabled" : "Disabled";
  const mayCreate = useMay(RULES_WRITE);
  const changedAt = rule?.updatedAt ?? rule?.createdAt;
  const title = (isDefault && text(draft.customName)) || draft.name || "New rule";
  return (
    <header className={common.bar}>
      <AppLink to="/rules" className={common.crumb}>
        Rules
      </AppLink>
      <Icon name="chevronRight" size={12} />
      {/* A long one makes room, but stays readable; a short one takes no more than it needs. */}
      <h1 className={`${common.title ?? ""} ${classes.title ?? ""} truncate`} style={{ minWidth: `min(240px, ${String(title.length / 2)}em)` }} title={title}>
        {title}
      </h1>
      <RestrictedMark restriction={restriction} />
      <SeverityLabel severity={highestSeverity(draft)} />
      {readOnly ? <span className={common.dim}>{state}</span> : <Switch size="xs" label={state} checked={draft.isEnabled} onChange={(event) => edit({ isEnabled: event.currentTarget.checked })} />}
      <div className={classes.actions}>
        {rule && (
          <>
            <span className={common.dim}>
              version {rule.version}
              {changedAt ? (
                <>
                  , <RelativeTime time={changedAt} />
                </>
              ) : null}
            </span>
            <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}` })}`}>Signals</AppLink>
            <AppLink to={`/coverage?rule=${rule.id}`}>Coverage</AppLink>
            {mayCreate && <AppLink to={`/jobs?rule=${rule.id}`}>Run on history</AppLink>}
          </>
        )}
        {!may && (
          <span className={`${common.dim} ${classes.whyNot ?? ""} truncate`} title={whyNot}>
            {whyNot}
          </span>
        )}
        {!readOnly && onDiscard && (
          <Button variant="default" onClick={onDiscard}>
            Discard
          </Button>
        )}
        {!readOnly && (
          <Button disabled={!canSave} loading={isSaving} onClick={onSave}>
            {rule ? "Save" : "Create rule"}
          </Button>
        )}
        {rule && <RuleMenu rule={rule} may={may} mayCreate={mayCreate} go={go} />}
      </div>
    </header>
  );
}
