import { ActionIcon, Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { createSecurityFilter, deleteSecurityFilter, securityFiltersQuery, updateSecurityFilter, type FilterSettings, type SecurityFilter } from "@/api/securityFilters";
import { useMay } from "@/api/session";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { Dialog, Form } from "@/components/Dialog";
import { Icon } from "@/components/icons";
import { List, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import { NotThere } from "@/components/NotThere";
import pages from "@/components/Page.module.css";
import { QueryField } from "@/components/QueryField";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import classes from "./securityFilters.module.css";

const WRITE = "security_monitoring_filters_write";
const COLUMNS: Column[] = [{ label: "On" }, { label: "Filter" }, { label: "Takes" }, { label: "But not" }, { label: "Actions", isHidden: true }];
const COMPLETES_IN_MS = 7 * 86_400_000;

interface Props {
  /** The filter whose form is open: its id, `new`, or none. */
  editing: string | null;
  onEdit: (id: string | null) => void;
}

/** Which of the stored logs the rules look at. */
export function SecurityFiltersPage({ editing, onEdit }: Props) {
  const filters = useQuery(securityFiltersQuery);
  const may = useMay(WRITE);
  const chosen = filters.data?.find((filter) => filter.id === editing);
  const shown = filters.data ?? [];
  return (
    <ListPage
      title="Security filters"
      about="Rules look at a log if one enabled filter takes it and none of that filter's exclusions does."
      actions={<AddButton permission={WRITE} label="New filter" onClick={() => onEdit("new")} />}
      overlay={
        may &&
        (editing === "new" || chosen) && (
          <Dialog opened onClose={() => onEdit(null)} closeOnClickOutside={false} size={720} title={chosen ? `Edit ${chosen.attributes.name}` : "New security filter"}>
            <FilterForm filter={chosen ?? null} onDone={() => onEdit(null)} />
          </Dialog>
        )
      }
    >
      <List query={filters} count={shown.length} columns={COLUMNS} empty={null} notice={
        <>
          {editing !== null && editing !== "new" && !chosen && !filters.isFetching && <NotThere noun="security filter" />}
          <Notice filters={shown} />
        </>
      }>
        {shown.map((filter) => (
          <FilterRow key={filter.id} filter={filter} may={may} onEdit={() => onEdit(filter.id)} />
        ))}
      </List>
    </ListPage>
  );
}

/** What of the filters surprises: that none, or that only one of them counts. */
function Notice({ filters }: { filters: readonly SecurityFilter[] }) {
  if (filters.every((filter) => !filter.attributes.is_enabled)) {
    return (
      <p className={classes.warning} role="alert">
        <Icon name="alert" /> No filter is enabled: no rule looks at any log.
      </p>
    );
  }
  const takesAll = filters.some(({ attributes }) => attributes.is_builtin && attributes.is_enabled && attributes.exclusion_filters.length === 0);
  return filters.length > 1 && takesAll ? <p className={classes.hint}>The built-in filter takes all logs, so the others change nothing while it is on. Switch it off to let only them count.</p> : null;
}

/** Changes a filter. */
const useFilterAction = <T = void>(name: string, act: (argument: T) => Promise<unknown>) => useAction(securityFiltersQuery.queryKey, `${name} was not changed`, act);

function FilterRow({ filter, may, onEdit }: { filter: SecurityFilter; may: boolean; onEdit: () => void }) {
  const { name, query, is_enabled: isEnabled, is_builtin: isBuiltin, exclusion_filters: exclusions, version } = filter.attributes;
  const toggle = useFilterAction(name, (on: boolean) => updateSecurityFilter(filter.id, version, { is_enabled: on }));
  const remove = useFilterAction(name, () => deleteSecurityFilter(filter.id));
  const enabled = toggle.isPending ? toggle.variables : isEnabled;
  return (
    <tr data-off={!enabled || undefined}>
      <td>
        <Toggle name={name} enabled={enabled} may={may} permission={WRITE} isPending={toggle.isPending} onChange={(on) => toggle.mutate(on)} />
      </td>
      <td className={pages.text}>
        {name} {isBuiltin && <span className={pages.dim}>· built in</span>}
      </td>
      <td className={pages.text}>
        <LogsLink query={query} />
      </td>
      <td className={classes.exclusions}>
        {exclusions.length === 0 && <span className={pages.dim}>nothing is excluded</span>}
        {exclusions.map((exclusion) => (
          <div key={exclusion.name}>
            {exclusion.name}: <LogsLink query={exclusion.query} />
          </div>
        ))}
      </td>
      <td className={pages.actions}>
        {may && (
          <>
            <Button variant="default" size="compact-xs" onClick={onEdit} aria-label={`Edit ${name}`}>
              Edit
            </Button>
            {!isBuiltin && (
              <Button variant="default" size="compact-xs" ml={6} loading={remove.isPending} aria-label={`Delete ${name}`} onClick={() => window.confirm(`Delete the security filter “${name}”? Rules no longer look at logs that only it takes.`) && remove.mutate()}>
                Delete
              </Button>
            )}
          </>
        )}
      </td>
    </tr>
  );
}

const LogsLink = ({ query }: { query: string }) => (
  <AppLink to={`/logs${stringifySearch({ query: query === "*" ? "" : query })}`} className={pages.mono} title="The logs that it takes">
    {query === "*" || query === "" ? "all logs" : query}
  </AppLink>
);

const NEW: FilterSettings = { name: "", query: "", is_enabled: true, exclusion_filters: [] };

function FilterForm({ filter, onDone }: { filter: SecurityFilter | null; onDone: () => void }) {
  const client = useQueryClient();
  // What was read when the form opened: its version tells whether somebody else was faster.
  const [seen] = useState(filter);
  const [draft, setDraft] = useState<FilterSettings>(() => (filter ? { name: filter.attributes.name, query: filter.attributes.query, is_enabled: filter.attributes.is_enabled, exclusion_filters: filter.attributes.exclusion_filters } : NEW));
  const [range] = useState(() => {
    const now = Date.now();
    return { from: new Date(now - COMPLETES_IN_MS).toISOString(), to: new Date(now).toISOString() };
  });
  const isBuiltin = filter?.attributes.is_builtin ?? false;
  const save = useMutation({
    mutationFn: () => (seen ? updateSecurityFilter(seen.id, seen.attributes.version, isBuiltin ? { is_enabled: draft.is_enabled, exclusion_filters: draft.exclusion_filters } : draft) : createSecurityFilter(draft)),
    onSuccess: onDone,
    onSettled: () => client.invalidateQueries({ queryKey: securityFiltersQuery.queryKey }),
  });
  const { at, loose } = faultsOf(save.error);
  const edit = (change: Partial<FilterSettings>) => setDraft((current) => ({ ...current, ...change }));
  const replace = (index: number, change: Partial<FilterSettings["exclusion_filters"][number]>) => edit({ exclusion_filters: draft.exclusion_filters.map((each, position) => (position === index ? { ...each, ...change } : each)) });
  return (
    <Form className={pages.form} busy={save.isPending} onSubmit={() => save.mutate()}>
      {isBuiltin && <p className={pages.dim}>The built-in filter takes all logs. It can be switched off, and logs can be excluded from it.</p>}
      <TextInput size="xs" label="Name" data-autofocus={!isBuiltin || undefined} required withAsterisk={false} disabled={isBuiltin} value={draft.name} error={at.name} onChange={(event) => edit({ name: event.currentTarget.value })} />
      <QueryField track="logs" label="Takes" placeholder="source:(okta OR cloudtrail)" disabled={isBuiltin} value={draft.query} error={at.query} {...range} onChange={(query) => edit({ query })} />
      <h3 className={classes.heading}>But not</h3>
      {draft.exclusion_filters.map((exclusion, index) => (
        <div key={index} className={classes.exclusion}>
          <TextInput size="xs" label="Name" aria-label={`Name of exclusion ${String(index + 1)}`} value={exclusion.name} error={at[`exclusion_filters[${String(index)}].name`]} onChange={(event) => replace(index, { name: event.currentTarget.value })} />
          <QueryField track="logs" label={`Excludes (${String(index + 1)})`} placeholder="env:dev" value={exclusion.query} error={at[`exclusion_filters[${String(index)}].query`]} {...range} onChange={(query) => replace(index, { query })} />
          <ActionIcon mb={4} aria-label={`Remove exclusion ${String(index + 1)}`} onClick={() => edit({ exclusion_filters: draft.exclusion_filters.filter((_, position) => position !== index) })}>
            <Icon name="trash" />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button variant="default" size="compact-xs" leftSection={<Icon name="plus" size={12} />} onClick={() => edit({ exclusion_filters: [...draft.exclusion_filters, { name: "", query: "" }] })}>
          Exclude logs
        </Button>
        {draft.exclusion_filters.length > 1 && <span className={pages.dim}> {plural(draft.exclusion_filters.length, "exclusion")}</span>}
      </div>
      <Checkbox size="xs" label="Enabled" checked={draft.is_enabled} onChange={(event) => edit({ is_enabled: event.currentTarget.checked })} />
      {loose.length > 0 && (
        <p className={pages.fault} role="alert">
          {loose.join(" ")}
        </p>
      )}
      <div className={pages.formEnd}>
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          {filter ? "Save" : "Create the filter"}
        </Button>
      </div>
    </Form>
  );
}

/** What the server says begins with the member that it is about. */
function faultsOf(error: Error | null): { at: Record<string, string>; loose: string[] } {
  if (error === null) return { at: {}, loose: [] };
  if (error instanceof ApiError && error.isStale) return { at: {}, loose: ["Somebody else changed this filter while you edited it. Close this form and open it again to see what they did."] };
  const at: Record<string, string> = {};
  const loose: string[] = [];
  for (const message of error instanceof ApiError ? error.messages : [error.message]) {
    const [, target, text] = /^((?:exclusion_filters\[\d+\]\.)?(?:name|query)): (.+)$/s.exec(message) ?? [];
    if (target !== undefined && text !== undefined) at[target] = text;
    else loose.push(message);
  }
  return { at, loose };
}
