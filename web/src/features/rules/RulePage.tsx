import { Button, Menu, ActionIcon, Switch } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "@/api/errors";
import { createRule, deleteRule, ruleQuery, updateRule, validateRule } from "@/api/rules";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { SeverityLabel } from "@/components/Severity";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { RelativeTime } from "@/components/Time";
import { stringifySearch } from "@/lib/urlState";
import { changedFields, draftOf, highestSeverity, isDirty, NEW_RULE, type RuleDraft } from "./ruleDraft";
import { RuleForm } from "./RuleForm";
import { RuleJson } from "./RuleJson";
import classes from "./rules.module.css";
import { Versions } from "./Versions";

const WRITE = "security_monitoring_rules_write";

interface Props {
  id: string;
  tab: string | null;
  onTab: (tab: string) => void;
  go: (address: string) => void;
}

/** A rule, or a new one: the form for the common part, JSON for all of it, versions. */
export function RulePage({ id, tab, onTab, go }: Props) {
  const isNew = id === "new";
  const rule = useQuery({ ...ruleQuery(id), enabled: !isNew, refetchOnWindowFocus: false });
  if (!isNew && !rule.data) {
    return <div className={classes.page}><h1 className="visually-hidden">Rule</h1>{rule.error ? <ErrorState error={rule.error} retry={() => void rule.refetch()} /> : <SkeletonRows rows={14} />}</div>;
  }
  return <Editor key={rule.data ? `${id}-${String(rule.data.version)}` : "new"} rule={rule.data ?? null} tab={tab} onTab={onTab} go={go} />;
}

function Editor({ rule, tab, onTab, go }: { rule: Rule | null } & Omit<Props, "id">) {
  const client = useQueryClient();
  const may = useMay(WRITE);
  const original = useMemo(() => (rule ? draftOf(rule) : NEW_RULE), [rule]);
  const [draft, setDraft] = useState<RuleDraft>(original);
  const dirty = isDirty(original, draft);
  const [settled] = useDebouncedValue(draft, 400);
  const validation = useQuery({
    queryKey: ["rule-validation", settled],
    queryFn: () => validateRule(settled).then(() => true),
    enabled: may && dirty && settled === draft,
    retry: false,
    staleTime: Infinity,
    gcTime: 10_000,
  });
  const save = useMutation({
    mutationFn: () => (rule ? updateRule(rule.id, { ...changedFields(original, draft), version: rule.version }) : createRule(draft)),
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: ["rules"] });
      void client.invalidateQueries({ queryKey: ["rule", saved.id, "history"] });
      client.setQueryData(ruleQuery(saved.id).queryKey, saved);
      notifications.show({ message: rule ? `Saved as version ${String(saved.version)}` : "Rule created", color: "gray" });
      if (!rule) go(`/rules/${saved.id}`);
    },
  });
  const remove = useMutation({
    mutationFn: () => deleteRule(rule?.id ?? ""),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["rules"] });
      go("/rules");
    },
  });
  useBlocker({ shouldBlockFn: ({ current, next }) => dirty && !save.isPending && !save.isSuccess && current.pathname !== next.pathname && !window.confirm("Leave without saving the changes to this rule?"), enableBeforeUnload: () => dirty });
  useEffect(() => {
    document.title = `${draft.name || "New rule"} · Rules · Tocsin`;
  }, [draft.name]);

  const error = save.error ?? (dirty ? validation.error : null);
  const faults = error instanceof ApiError ? error.fields : [];
  const loose = error instanceof ApiError ? error.messages.filter((message) => message !== "Invalid rule configuration" && !faults.some((fault) => fault.message === message)) : [];
  const edit = (change: Partial<RuleDraft>) => {
    save.reset();
    setDraft((current) => ({ ...current, ...change }) as RuleDraft);
  };
  const readOnly = !may;
  return (
    <div className={classes.page}>
      <header className={classes.bar}>
        <AppLink to="/rules" className={classes.crumb}>
          Rules
        </AppLink>
        <Icon name="chevronRight" size={12} />
        <h1 className={`${classes.title} truncate`}>{draft.name || "New rule"}</h1>
        <SeverityLabel severity={highestSeverity(draft.cases)} />
        <Switch size="xs" label={draft.isEnabled ? "Enabled" : "Disabled"} checked={draft.isEnabled} disabled={readOnly} onChange={(event) => edit({ isEnabled: event.currentTarget.checked })} />
        <div className={classes.actions}>
          {rule && (
            <>
              <span className={classes.dim}>
                version {rule.version}
                {rule.updatedAt || rule.createdAt ? (
                  <>
                    , <RelativeTime time={rule.updatedAt ?? rule.createdAt ?? null} />
                  </>
                ) : null}
              </span>
              <AppLink to={`/signals${stringifySearch({ query: `@workflow.rule.id:${rule.id}` })}`}>Signals</AppLink>
            </>
          )}
          {readOnly && <span className={classes.dim}>Editing needs the permission {WRITE}</span>}
          {!readOnly && dirty && (
            <Button variant="default" onClick={() => setDraft(original)}>
              Discard
            </Button>
          )}
          {!readOnly && (
            <Button disabled={!dirty || faults.length > 0} loading={save.isPending} onClick={() => save.mutate()}>
              {rule ? "Save" : "Create rule"}
            </Button>
          )}
          {rule && !rule.isDefault && !readOnly && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon aria-label="More">
                  <Icon name="dots" />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<Icon name="trash" />} onClick={() => window.confirm(`Delete the rule “${rule.name}”? Its signals stay.`) && remove.mutate()}>
                  Delete rule
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </div>
      </header>
      {(loose.length > 0 || (error && !(error instanceof ApiError))) && <ErrorState inline error={error instanceof ApiError ? new ApiError(error.status, loose, error.requestId, null, [], null) : error} />}
      {remove.error && <ErrorState inline error={remove.error} />}
      <div className={classes.scroll}>
        <Tabs
          label="Parts of the rule"
          value={tab}
          onChange={onTab}
          tabs={[
            { id: "form", label: "Rule", content: <RuleForm draft={draft} edit={edit} faults={faults} readOnly={readOnly} isDefault={rule?.isDefault ?? false} /> },
            { id: "json", label: "JSON", content: <RuleJson draft={draft} readOnly={readOnly} onChange={setDraft} /> },
            ...(rule ? [{ id: "versions", label: "Versions", content: <Versions rule={rule} may={may} /> }] : []),
          ]}
        />
      </div>
    </div>
  );
}
