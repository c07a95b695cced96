import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "@/api/errors";
import { restrictionQuery, whoMay, type Restriction } from "@/api/restrictions";
import { createRule, ruleHistoryQuery, ruleQuery, RULES_WRITE, updateRule } from "@/api/rules";
import { useMay } from "@/api/session";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { ErrorState, SkeletonRows } from "@/components/states";
import { NotThere } from "@/components/NotThere";
import { Tabs, type Tab } from "@/components/Tabs";
import { straight } from "@/lib/format";
import type { Range } from "@/lib/time";
import common from "@/components/Page.module.css";
import { tell } from "@/components/telling";
import { Conflict } from "./Conflict";
import { EditorContext, type RuleEditor } from "./editor";
import { NEW_RULE } from "./methods";
import { isUsable } from "./preview";
import { changedFields, cloneOf, draftOf, rebased, type RuleDraft } from "./ruleDraft";
import { RuleForm } from "./RuleForm";
import { RuleHeader } from "./RuleHeader";
import { RuleJson } from "./RuleJson";
import classes from "./rulePage.module.css";
import { RuleView } from "./RuleView";
import { Schedule } from "./Schedule";
import { isScheduled } from "./scheduling";
import { Suppressions } from "./Suppressions";
import { TestEvents } from "./TestEvents";
import { looseMessages, useRuleDraft } from "./useRuleDraft";
import { Versions } from "./Versions";
import { WhyNot } from "./WhyNot";

export interface RuleSearch {
  tab?: string;
  /** Of the preview. */
  from?: string;
  to?: string;
  /** The rule that a new one begins as. */
  clone?: string;
}

interface Props {
  id: string;
  search: RuleSearch;
  onSearch: (change: Partial<RuleSearch>) => void;
  go: (address: string) => void;
}

/** A rule, or a new one: to be read, to be written as a form or as JSON, to be tried; its versions and suppressions. */
export function RulePage({ id, search, onSearch, go }: Props) {
  const isNew = id === "new";
  const wanted = isNew ? (search.clone ?? "") : id;
  const rule = useQuery({ ...ruleQuery(wanted), enabled: wanted !== "", refetchOnWindowFocus: false, refetchOnReconnect: false });
  // Who may change it decides which parts there are; if that cannot be read, the server still holds changes against it.
  const restriction = useQuery({ ...restrictionQuery("security-rule", id), enabled: !isNew, retry: false });
  if ((wanted !== "" && !rule.data) || (!isNew && restriction.isPending)) {
    return (
      <div className={common.page}>
        <h1 className="visually-hidden">Rule</h1>
        {rule.error instanceof ApiError && rule.error.isUnknown ? (
          <NotThere noun="rule">
            <AppLink to="/rules">All rules</AppLink>
          </NotThere>
        ) : rule.error ? (
          <ErrorState error={rule.error} retry={() => void rule.refetch()}>
            <AppLink to="/rules">All rules</AppLink>
          </ErrorState>
        ) : (
          <SkeletonRows rows={14} />
        )}
      </div>
    );
  }
  const given = rule.data ?? null;
  const begun = isNew ? (given ? cloneOf(given) : NEW_RULE) : null;
  return <Editor key={isNew ? `new-${wanted}` : id} given={isNew ? null : given} begun={begun} restriction={restriction.data?.meta.restricted ? restriction.data : undefined} search={search} onSearch={onSearch} go={go} />;
}

function Editor({ given, begun, restriction, search, onSearch, go }: { given: Rule | null; begun: RuleDraft | null; restriction: Restriction | undefined } & Omit<Props, "id">) {
  const client = useQueryClient();
  const mayWrite = useMay(RULES_WRITE);
  const may = mayWrite && (restriction?.meta.editable ?? true);
  const whyNot = mayWrite && restriction ? whoMay(restriction) : `Editing needs the permission ${RULES_WRITE}`;
  const [rule, setRule] = useState(given);
  const original = useMemo(() => (rule ? draftOf(rule) : NEW_RULE), [rule]);
  // A new rule is judged once somebody has begun to write it: choosing a method is not yet that.
  const isBegun = (draft: RuleDraft) => rule !== null || draft.name.trim() !== "" || isUsable(draft);
  const editing = useRuleDraft(original, begun ?? original, (draft) => may && isBegun(draft));
  const { draft, setDraft, dirty, faults, hints } = editing;
  // Somebody else saved meanwhile, and this person chose to go on: their changes are based on that version from here.
  const [base, setBase] = useState(rule?.version);
  /** Goes on from a version; what was typed since `sent` was on its way is kept. */
  const goOnFrom = (version: Rule, sent?: RuleDraft) => {
    const fresh = draftOf(version);
    setRule(version);
    setBase(version.version);
    setDraft((current) => (sent === undefined ? fresh : rebased(current, sent, fresh)));
  };
  // Read again behind the page, a newer version shows unless there is something to lose: saving that tells of both.
  if (given && rule && given.version > rule.version && !dirty) goOnFrom(given);
  const save = useMutation({
    mutationFn: (sent: RuleDraft) => (rule ? updateRule(rule.id, { ...changedFields(original, sent), version: base }) : createRule(sent)),
    onSuccess: (saved, sent) => {
      void client.invalidateQueries({ queryKey: ["rules"] });
      void client.invalidateQueries({ queryKey: ruleHistoryQuery(saved.id).queryKey });
      client.setQueryData(ruleQuery(saved.id).queryKey, saved);
      tell(rule ? `Saved as version ${String(saved.version)}` : "Rule created");
      if (rule) goOnFrom(saved, sent);
      else go(`/rules/${saved.id}`);
    },
  });
  const isCreating = rule === null && (save.isPending || save.isSuccess);
  useBlocker({ shouldBlockFn: ({ current, next }) => dirty && !save.isPending && !isCreating && current.pathname !== next.pathname && !window.confirm("Leave without saving the changes to this rule?"), enableBeforeUnload: () => dirty });
  useEffect(() => {
    document.title = straight(`${draft.name || "New rule"} · Rules · Tocsin`);
  }, [draft.name]);

  const isStale = save.error instanceof ApiError && save.error.isStale;
  const troubles = [save.error, dirty || !rule ? editing.trouble : null].filter((error) => error !== null);
  const readOnly = !may || rule?.isDeprecated === true;
  const isDefault = rule?.isDefault ?? false;
  const range = useMemo<Range>(() => ({ from: search.from ?? "now-1d", to: search.to ?? "now" }), [search.from, search.to]);
  // What was refused may be mended by this; what is on its way is still waited for.
  const forget = () => {
    if (!save.isPending) save.reset();
  };
  const editor: RuleEditor = {
    draft,
    edit: (change) => {
      forget();
      editing.edit(change);
    },
    replace: (next) => {
      forget();
      setDraft(next);
    },
    faults: dirty && isBegun(draft) ? withSaveFaults(faults, save.error) : [],
    hints,
    isChecked: editing.isChecked,
    readOnly,
    isDefault,
    fixed: readOnly || isDefault,
    isNew: rule === null,
    range,
  };
  const tabs: Tab[] = [
    ...(readOnly ? [] : [{ id: "form", label: "Edit", content: <RuleForm onRange={(next) => onSearch({ from: next.from, to: next.to })} /> }]),
    ...(rule ? [{ id: "view", label: "View", content: <RuleView /> }] : []),
    ...(readOnly ? [] : [{ id: "tests", label: "Tests", content: <TestEvents /> }]),
    { id: "json", label: "JSON", content: <RuleJson /> },
    ...(rule ? [{ id: "suppressions", label: "Suppressions", content: <Suppressions rule={rule} /> }] : []),
    ...(rule && isScheduled(rule) ? [{ id: "schedule", label: "Schedule", content: <Schedule rule={rule} /> }] : []),
    ...(rule ? [{ id: "why-not", label: "Why not?", content: <WhyNot rule={rule} /> }] : []),
    ...(rule ? [{ id: "versions", label: "Versions", content: <Versions rule={rule} may={may} isDirty={dirty} onRestored={goOnFrom} /> }] : []),
  ];
  return (
    <EditorContext value={editor}>
      <div className={common.page}>
        <RuleHeader rule={rule} may={may} whyNot={whyNot} restriction={restriction} canSave={dirty && faults.length + editor.faults.length === 0 && editing.isChecked} isSaving={save.isPending} onSave={() => save.mutate(draft)} onDiscard={dirty && rule ? () => editor.replace(original) : null} go={go} />
        {rule?.isDeprecated === true && <p className={classes.banner}>This rule is deprecated and no longer shipped. Clone it to go on using it.</p>}
        {rule && isStale ? (
          <Conflict
            rule={rule}
            mine={changedFields(original, draft)}
            onLoad={(theirs) => {
              save.reset();
              client.setQueryData(ruleQuery(theirs.id).queryKey, theirs);
              goOnFrom(theirs);
            }}
            onKeep={(version) => {
              save.reset();
              setBase(version);
            }}
          />
        ) : (
          troubles.map((error, index) => <Trouble key={index} error={error} />)
        )}
        {/* The page of the new rule takes the place of this one: nothing is typed into a form that is about to go. */}
        <div className={common.scroll} inert={isCreating}>
          <Tabs label="Parts of the rule" value={search.tab ?? null} onChange={(tab) => onSearch({ tab })} tabs={tabs} />
        </div>
      </div>
    </EditorContext>
  );
}

function withSaveFaults(faults: RuleEditor["faults"], error: unknown): RuleEditor["faults"] {
  return error instanceof ApiError && error.fields.length > 0 ? error.fields : faults;
}

/** What a request failed with, without what stands at its field already. */
function Trouble({ error }: { error: Error }) {
  if (!(error instanceof ApiError)) return <ErrorState inline error={error} />;
  const loose = looseMessages(error);
  return loose.length > 0 ? <ErrorState inline error={new ApiError(error.status, loose, error.requestId)} /> : null;
}
