import { Autocomplete, Button, Checkbox, FileInput, PasswordInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createFeed, intelKeys, settingsOf, updateFeed, uploadFeed, type FeedAttributes, type FeedItem } from "@/api/intel";
import { Dialog, Form } from "@/components/Dialog";
import pages from "@/components/Page.module.css";
import { ErrorState } from "@/components/states";
import { tellFailure } from "@/components/telling";
import { attributesOf, CATEGORIES, COLUMNS, faultsOf, NEW_FEED, TYPES, withFormat, withLocation } from "./feedDraft";
import classes from "./intel.module.css";
import { FORMAT_WORDS, INTENTIONS, intervalLabel } from "./labels";

const INTERVALS = [300, 900, 3_600, 21_600, 43_200, 86_400, 604_800];
const DELIMITERS = [
  { value: "", label: "As the file shows" },
  { value: ",", label: "Comma" },
  { value: ";", label: "Semicolon" },
  { value: "\t", label: "Tab" },
  { value: "|", label: "Bar |" },
];
const AUTHENTICATIONS = [
  { value: "none", label: "None" },
  { value: "basic", label: "User name and password" },
  { value: "bearer", label: "Bearer token" },
  { value: "header", label: "A header with a key" },
];

interface Props {
  /** Null: a new one. */
  feed: FeedItem | null;
  onClose: () => void;
  onSaved: (feed: FeedItem) => void;
}

/** Everything that people choose of a feed. A secret is typed here and never shown again. */
export function FeedForm({ feed, onClose, onSaved }: Props) {
  return (
    <Dialog opened onClose={onClose} closeOnClickOutside={false} size={720} title={feed ? `Edit ${feed.attributes.name}` : "Add a feed"}>
      <Fields feed={feed} onClose={onClose} onSaved={onSaved} />
    </Dialog>
  );
}

function Fields({ feed, onClose, onSaved }: Props) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<FeedAttributes>(() => (feed ? settingsOf(feed.attributes) : NEW_FEED));
  const [file, setFile] = useState<File | null>(null);
  const save = useMutation({
    mutationFn: async () => {
      const saved = await (feed ? updateFeed(feed.id, attributesOf(draft)) : createFeed(attributesOf(draft)));
      if (!file || draft.location.type !== "upload") return saved;
      // The feed is there whatever becomes of its first file: what is wrong with that is told apart.
      return uploadFeed(saved.id, file).catch((error: unknown) => {
        tellFailure(`${file.name} was not taken`, error instanceof Error ? error.message : String(error));
        return saved;
      });
    },
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: intelKeys.feeds });
      onSaved(saved);
      onClose();
    },
  });
  const { fields, loose } = faultsOf(save.error);
  const edit = (change: Partial<FeedAttributes>) => setDraft((current) => ({ ...current, ...change }));
  const { location, defaults = {}, authentication = {} } = draft;
  const setDefaults = (change: Partial<typeof defaults>) => edit({ defaults: { ...defaults, ...change } });
  const setAuthentication = (change: Partial<typeof authentication>) => edit({ authentication: { ...authentication, ...change } });
  const hasSecret = feed?.attributes.authentication.has_secret ?? false;
  const interval = draft.refresh_interval ?? 86_400;
  return (
    <Form className={pages.form} busy={save.isPending} onSubmit={() => save.mutate()}>
      <div className={pages.pair}>
        <TextInput size="xs" data-autofocus required withAsterisk={false} label="Name" placeholder="The name that analysts will see" value={draft.name} error={fields.name} onChange={(event) => edit({ name: event.currentTarget.value })} />
        <Select size="xs" label="Type" allowDeselect={false} data={Object.entries(FORMAT_WORDS).map(([value, label]) => ({ value, label }))} value={draft.format} error={fields.format} onChange={(format) => format && setDraft(withFormat(draft, format as FeedAttributes["format"]))} />
      </div>
      {draft.format !== "taxii" && (
        <SegmentedControl
          size="xs"
          aria-label="Where the content comes from"
          value={location.type}
          onChange={(type) => setDraft(withLocation(draft, type as FeedAttributes["location"]["type"]))}
          data={[
            { value: "upload", label: "Uploaded" },
            { value: "url", label: "Fetched from a URL" },
            { value: "file", label: "A file on the server" },
          ]}
        />
      )}
      {location.type === "upload" && <FileInput size="xs" label="File" description={feed ? "Takes the place of what the feed holds now" : "Can also follow later; at most 100 MB, gzipped or not"} placeholder="Choose a file" clearable value={file} onChange={setFile} />}
      {location.type === "url" && (
        <TextInput size="xs" label={draft.format === "taxii" ? "URL of the collection" : "URL"} placeholder={draft.format === "taxii" ? "https://taxii.example/api/collections/<id>/" : "https://feeds.example/list.csv.gz"} classNames={{ input: pages.mono }} value={location.url ?? ""} error={fields["location.url"] ?? fields["location.type"]} onChange={(event) => edit({ location: { ...location, url: event.currentTarget.value } })} />
      )}
      {location.type === "file" && <TextInput size="xs" label="File" description="In the directory “feeds” of the data directory" classNames={{ input: pages.mono }} value={location.file ?? ""} error={fields["location.file"]} onChange={(event) => edit({ location: { ...location, file: event.currentTarget.value } })} />}
      {location.type !== "upload" && (
        <div className={pages.pair}>
          <Select size="xs" label="Refreshed every" allowDeselect={false} data={[...new Set([...INTERVALS, interval])].sort((left, right) => left - right).map((seconds) => ({ value: String(seconds), label: intervalLabel(seconds) }))} value={String(interval)} error={fields.refresh_interval} onChange={(seconds) => seconds && edit({ refresh_interval: Number(seconds) })} />
          {location.type === "url" && <Select size="xs" label="Authentication" allowDeselect={false} data={AUTHENTICATIONS} value={authentication.type ?? "none"} error={fields.authentication} onChange={(type) => setAuthentication({ type: type as NonNullable<typeof authentication.type> })} />}
        </div>
      )}
      {location.type === "url" && authentication.type !== "none" && (
        <div className={pages.pair}>
          {authentication.type === "basic" && <TextInput size="xs" label="User name" autoComplete="off" value={authentication.user_name ?? ""} error={fields["authentication.user_name"]} onChange={(event) => setAuthentication({ user_name: event.currentTarget.value })} />}
          {authentication.type === "header" && <TextInput size="xs" label="Header" placeholder="X-API-Key" value={authentication.header_name ?? ""} error={fields["authentication.header_name"]} onChange={(event) => setAuthentication({ header_name: event.currentTarget.value })} />}
          <PasswordInput size="xs" label={authentication.type === "basic" ? "Password" : "Secret"} description={hasSecret ? "The present one stays unless another is typed" : "Kept encrypted and never shown again"} autoComplete="new-password" value={authentication.secret ?? ""} error={fields["authentication.secret"]} onChange={(event) => setAuthentication({ secret: event.currentTarget.value })} />
        </div>
      )}
      {draft.format === "csv" && <CsvPart draft={draft} edit={edit} fields={fields} />}
      <fieldset className={classes.fields}>
        <legend>Where the content does not say it</legend>
        <div className={pages.pair}>
          <Autocomplete size="xs" label="Category" data={CATEGORIES} value={defaults.category ?? ""} error={fields["defaults.category"]} onChange={(category) => setDefaults({ category })} />
          <Select size="xs" label="Intention" allowDeselect={false} data={[...INTENTIONS]} value={defaults.intention ?? null} error={fields["defaults.intention"]} onChange={(intention) => setDefaults({ intention: intention as (typeof INTENTIONS)[number] })} />
          <TextInput size="xs" label="Source" placeholder={draft.name || "The name of the feed"} value={defaults.source?.name ?? ""} error={fields["defaults.source.name"]} onChange={(event) => setDefaults({ source: { ...defaults.source, name: event.currentTarget.value } })} />
          <TextInput size="xs" label="Address of the source" placeholder="https://" value={defaults.source?.url ?? ""} error={fields["defaults.source.url"]} onChange={(event) => setDefaults({ source: { ...defaults.source, url: event.currentTarget.value } })} />
        </div>
      </fieldset>
      <Checkbox size="xs" label="Look for new indicators in the logs of the last 30 days too (retro-hunt)" checked={draft.retro_hunt ?? false} onChange={(event) => edit({ retro_hunt: event.currentTarget.checked })} />
      <Checkbox size="xs" label="Enabled" checked={draft.is_enabled ?? true} onChange={(event) => edit({ is_enabled: event.currentTarget.checked })} />
      {loose.map((message) => (
        <p key={message} className={pages.fault} role="alert">
          {message}
        </p>
      ))}
      {save.error && Object.keys(fields).length + loose.length === 0 && <ErrorState inline error={save.error} />}
      <div className={pages.formEnd}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={save.isPending}>
          {feed ? "Save" : "Add the feed"}
        </Button>
      </div>
    </Form>
  );
}

function CsvPart({ draft, edit, fields }: { draft: FeedAttributes; edit: (change: Partial<FeedAttributes>) => void; fields: Record<string, string> }) {
  const columns = draft.columns ?? {};
  const [open, setOpen] = useState(Object.keys(columns).length > 0);
  return (
    <>
      <div className={pages.pair}>
        <Select size="xs" label="Indicators" data={[{ value: "", label: "Each row says or shows its type" }, ...Object.entries(TYPES).map(([value, label]) => ({ value, label }))]} allowDeselect={false} value={draft.indicator_type ?? ""} error={fields.indicator_type} onChange={(type) => edit({ indicator_type: type ?? "" })} />
        <Select size="xs" label="Between columns" data={DELIMITERS} allowDeselect={false} value={draft.delimiter ?? ""} error={fields.delimiter} onChange={(delimiter) => edit({ delimiter: delimiter ?? "" })} />
      </div>
      {open ? (
        <fieldset className={classes.fields}>
          <legend>Columns with names of their own</legend>
          <div className={pages.pair}>
            {COLUMNS.map((role) => (
              <TextInput key={role} size="xs" label={role.replace("_", " ")} placeholder={role} classNames={{ input: pages.mono }} value={columns[role] ?? ""} onChange={(event) => edit({ columns: { ...columns, [role]: event.currentTarget.value } })} />
            ))}
          </div>
          {fields.columns && <p className={pages.fault}>{fields.columns}</p>}
        </fieldset>
      ) : (
        <button type="button" className="link" onClick={() => setOpen(true)}>
          The columns have other names than indicator, type, category, intention, source…
        </button>
      )}
    </>
  );
}
