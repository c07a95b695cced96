import { Button, Select, Switch, TagsInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { createAsset, criticalAssetsQuery, deleteAsset, updateAsset, type AssetDraft, type CriticalAsset } from "@/api/criticalAssets";
import { facetQuery } from "@/api/explore";
import { useMay } from "@/api/session";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { Dialog, Form } from "@/components/Dialog";
import { Icon } from "@/components/icons";
import { Columns, type Column } from "@/components/List";
import page from "@/components/Page.module.css";
import { QueryField } from "@/components/QueryField";
import { SeverityLabel } from "@/components/Severity";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { formatNumber } from "@/lib/format";
import { isSeverity, SEVERITIES, SEVERITY_WORDS } from "@/lib/severity";
import { stringifySearch } from "@/lib/urlState";
import { Head } from "./Head";
import classes from "./settings.module.css";

const WRITE = "security_monitoring_critical_assets_write";
const APPLIED = "@critical_assets_data.critical_assets.id";
const DAYS = 7;
const ACTIONS: { value: AssetDraft["severity"]; label: string }[] = [
  { value: "increase", label: "One level up" },
  { value: "decrease", label: "One level down" },
  { value: "no-op", label: "As it is" },
  ...SEVERITIES.map((value) => ({ value, label: SEVERITY_WORDS[value] })),
];
const NEW: AssetDraft = { query: "", rule_query: "*", severity: "increase", enabled: true, description: "", tags: [] };

const COLUMNS: Column[] = [{ label: "On" }, { label: "Signals that match" }, { label: "Of rules" }, { label: "Severity" }, { label: `Applied, ${String(DAYS)} days` }, { label: "Changed" }, { label: "Actions", isHidden: true }];

/** What matters most to the organisation: signals about it get another severity (siem.md §2.12). */
export function CriticalAssets() {
  const assets = useQuery(criticalAssetsQuery);
  const [editing, setEditing] = useState<CriticalAsset | "new" | null>(null);
  const [now] = useState(() => Date.now());
  const times = useMemo(() => ({ from: new Date(now - DAYS * 86_400_000).toISOString(), to: new Date(now).toISOString() }), [now]);
  const mayCount = useMay("security_monitoring_signals_read");
  const counts = useQuery({ ...facetQuery("signals", { query: "", ...times }, APPLIED, 1000, ""), enabled: mayCount });
  const countOf = (id: string) => (counts.data ? (counts.data.data[0]?.values.find(({ value }) => value === id)?.count ?? 0) : null);
  return (
    <section aria-label="Critical assets" className={classes.section}>
      <Head isPage title="Critical assets" about="Signals about them get the severity given here. Where several apply, the highest counts.">
        <AddButton permission={WRITE} label="New critical asset" onClick={() => setEditing("new")} />
      </Head>
      {assets.error && <ErrorState inline={assets.data !== undefined} error={assets.error} retry={() => void assets.refetch()} />}
      {assets.isPending && <SkeletonRows rows={4} />}
      {assets.data?.length === 0 && (
        <EmptyState title="No critical assets yet">
          <p>Name the hosts, users or services whose signals you want to see first, such as host:(pay-1 OR pay-2).</p>
        </EmptyState>
      )}
      {assets.data && assets.data.length > 0 && (
        <table className={page.table}>
          <Columns columns={COLUMNS} />
          <tbody>
            {assets.data.map((asset) => (
              <AssetRow key={asset.id} asset={asset} applied={countOf(asset.id)} times={times} onEdit={() => setEditing(asset)} />
            ))}
          </tbody>
        </table>
      )}
      <Dialog opened={editing !== null} onClose={() => setEditing(null)} size="lg" title={editing === "new" ? "New critical asset" : "Change the critical asset"} closeOnClickOutside={false}>
        {editing !== null && <AssetForm asset={editing === "new" ? null : editing} times={times} onDone={() => setEditing(null)} />}
      </Dialog>
    </section>
  );
}

function AssetRow({ asset: { id, attributes }, applied, times, onEdit }: { asset: CriticalAsset; applied: number | null; times: { from: string; to: string }; onEdit: () => void }) {
  const may = useMay(WRITE);
  const name = attributes.description || attributes.query;
  const toggle = useAction(criticalAssetsQuery.queryKey, `“${name}” was not changed`, (enabled: boolean) => updateAsset(id, { enabled, version: attributes.version }));
  const remove = useAction(criticalAssetsQuery.queryKey, `“${name}” was not deleted`, () => deleteAsset(id));
  const enabled = toggle.isPending ? toggle.variables : attributes.enabled;
  return (
    <tr data-off={!enabled || undefined}>
      <td>
        <Toggle name={name} enabled={enabled} may={may} permission={WRITE} isPending={toggle.isPending} onChange={(on) => toggle.mutate(on)} />
      </td>
      <td className={classes.wrap}>
        <code>{attributes.query}</code>
        {attributes.description && <p className={classes.dim}>{attributes.description}</p>}
      </td>
      <td>{attributes.rule_query === "*" ? "all" : <AppLink to={`/rules${stringifySearch({ query: attributes.rule_query })}`}>{attributes.rule_query}</AppLink>}</td>
      <td>{isSeverity(attributes.severity) ? <SeverityLabel severity={attributes.severity} /> : ACTIONS.find(({ value }) => value === attributes.severity)?.label}</td>
      <td>{applied === null ? "–" : <AppLink to={`/signals${stringifySearch({ query: `${APPLIED}:${id}`, from: String(Date.parse(times.from)), to: String(Date.parse(times.to)) })}`}>{formatNumber(applied)}</AppLink>}</td>
      <td>
        <RelativeTime time={attributes.update_date} />
      </td>
      <td className={page.actions}>
        {may && (
          <Button.Group>
            <Button variant="default" size="compact-xs" aria-label={`Change ${name}`} onClick={onEdit}>
              Change
            </Button>
            <Button variant="default" size="compact-xs" aria-label={`Delete ${name}`} loading={remove.isPending} onClick={() => window.confirm(`Delete the critical asset “${name}”? Signals keep the severity that they have.`) && remove.mutate()}>
              <Icon name="trash" size={13} />
            </Button>
          </Button.Group>
        )}
      </td>
    </tr>
  );
}

function AssetForm({ asset, times, onDone }: { asset: CriticalAsset | null; times: { from: string; to: string }; onDone: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<AssetDraft>(() => {
    if (!asset) return NEW;
    const { query, rule_query, severity, enabled, description, tags } = asset.attributes;
    return { query, rule_query, severity, enabled, description, tags };
  });
  const edit = (change: Partial<AssetDraft>) => setDraft((current) => ({ ...current, ...change }));
  const save = useMutation({
    mutationFn: () => (asset ? updateAsset(asset.id, { ...draft, version: asset.attributes.version }) : createAsset(draft)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: criticalAssetsQuery.queryKey });
      onDone();
    },
  });
  return (
    <Form className={classes.form} busy={save.isPending} onSubmit={() => save.mutate()}>
      <QueryField track="signals" label="Signals that match" placeholder="host:(pay-1 OR pay-2)" value={draft.query} from={times.from} to={times.to} onChange={(query) => edit({ query })} />
      <TextInput size="xs" label="Of rules" description="A search for rules; * stands for all" value={draft.rule_query} onChange={(event) => edit({ rule_query: event.currentTarget.value })} />
      <Select size="xs" label="Severity" allowDeselect={false} data={ACTIONS} value={draft.severity} onChange={(severity) => edit({ severity: ACTIONS.find(({ value }) => value === severity)?.value ?? draft.severity })} />
      <TextInput size="xs" label="Description" placeholder="What it is, and why it matters" value={draft.description} onChange={(event) => edit({ description: event.currentTarget.value })} />
      <TagsInput size="xs" label="Tags" value={draft.tags} onChange={(tags) => edit({ tags })} />
      <Switch size="xs" label="Enabled" checked={draft.enabled} onChange={(event) => edit({ enabled: event.currentTarget.checked })} />
      {save.error && <ErrorState inline error={save.error} />}
      <Button type="submit" loading={save.isPending} disabled={draft.query.trim() === "" || draft.rule_query.trim() === ""}>
        {asset ? "Save" : "Create"}
      </Button>
    </Form>
  );
}
