/** The processors of siem.md §1.9: what each is called, what it starts as, and the fields of its form. */
import type { Processor } from "@/api/pipelines";
import { member, withMember } from "./pipelineDraft";

interface Base {
  /** The member, such as `grok.match_rules`; faults are told by it. */
  path: string;
  label: string;
  description?: string;
}

export type Field = Base &
  (
    | { kind: "text"; placeholder?: string }
    /** A text of many lines. */
    | { kind: "lines"; rows: number; placeholder?: string }
    /** A list of texts, one a line. */
    | { kind: "list"; rows: number; placeholder?: string }
    /** Attributes, in the order in which they are looked for. */
    | { kind: "paths"; placeholder?: string }
    | { kind: "flag"; preset?: boolean }
    | { kind: "choice"; options: readonly { value: string; label: string }[]; preset: string }
    | { kind: "categories" }
    | { kind: "table" }
    | { kind: "json"; rows: number }
    | { kind: "variant"; options: readonly { value: string; label: string }[]; current: (body: Processor) => string; choose: (body: Processor, value: string) => Processor }
  );

export interface ProcessorKind {
  label: string;
  about: string;
  blank: Record<string, unknown>;
  fields: (body: Processor) => Field[];
}

const words = (...values: string[]) => values.map((value) => ({ value, label: value }));

const sources = (placeholder: string, description = "The first that is there counts"): Field => ({ kind: "paths", path: "sources", label: "Attributes", placeholder, description });
const target = (placeholder: string): Field => ({ kind: "text", path: "target", label: "Target attribute", placeholder });
const source = (placeholder: string): Field => ({ kind: "text", path: "source", label: "Attribute", placeholder });
const override: Field = { kind: "flag", path: "override_on_conflict", label: "Replace the target if it is there already" };
const preserve: Field = { kind: "flag", path: "preserve_source", label: "Keep the source" };

const remapper = (label: string, about: string, placeholder: string): ProcessorKind => ({ label, about, blank: { sources: [] }, fields: () => [sources(placeholder)] });

const OPERATIONS = [
  { value: "append", label: "Append a value to a list" },
  { value: "length", label: "Length of a list" },
  { value: "select", label: "Value of one element" },
  { value: "key-value", label: "Attributes from keys and values" },
] as const;

const at = (path: string, label: string, placeholder: string, description?: string): Field => ({ kind: "text", path: `operation.${path}`, label, placeholder, description });

function arrayFields(body: Processor): Field[] {
  const list = at("source", "List", "items");
  const operation: Field = { kind: "choice", path: "operation.type", label: "Operation", options: OPERATIONS, preset: "append" };
  switch (member(body, "operation.type") ?? "append") {
    case "length":
      return [operation, list, at("target", "Target attribute", "items_count")];
    case "select":
      return [operation, list, at("filter", "Of the element with", "name:Content-Type"), at("value_to_extract", "Takes", "value"), at("target", "Target attribute", "content_type")];
    case "key-value":
      return [operation, list, at("key_to_extract", "Name from", "name"), at("value_to_extract", "Value from", "value"), at("target", "Below the attribute", "headers", "Empty: at the root"), { kind: "flag", path: "operation.override_on_conflict", label: "Replace what is there already" }];
    default:
      return [operation, at("source", "Attribute", "item"), at("target", "List", "items"), { kind: "flag", path: "operation.preserve_source", label: "Keep the source", preset: true }];
  }
}

const LOOKUPS = [
  { value: "inline", label: "A list here" },
  { value: "table", label: "A reference table" },
] as const;

const usesTable = (body: Processor): boolean => member(body, "lookup_enrichment_table") !== undefined;

const lookupVariant: Field = {
  kind: "variant",
  path: "",
  label: "Looks up in",
  options: LOOKUPS,
  current: (body) => (usesTable(body) ? "table" : "inline"),
  choose: (body, value) => (value === "table" ? withMember(withMember(withMember(body, "lookup_table", undefined), "default_lookup", undefined), "lookup_enrichment_table", "") : withMember(withMember(body, "lookup_enrichment_table", undefined), "lookup_table", [])),
};

export const KINDS: Record<string, ProcessorKind> = {
  "grok-parser": {
    label: "Grok parser",
    about: "Takes a text apart by rules; the first that matches wins.",
    blank: { source: "message", samples: [], grok: { match_rules: "", support_rules: "" } },
    fields: () => [
      { kind: "text", path: "source", label: "Attribute", placeholder: "message" },
      { kind: "lines", path: "grok.match_rules", label: "Rules", rows: 5, placeholder: "login User %{word:usr.name} signed in from %{ip:network.client.ip}", description: "One a line: a name, then the pattern" },
      { kind: "lines", path: "grok.support_rules", label: "Named parts", rows: 2, placeholder: '_user %{regex("[a-z]+"):usr.name}', description: "Patterns that the rules use by their names" },
      { kind: "list", path: "samples", label: "Samples", rows: 2, description: "At most 5, one a line; they are offered for trying" },
    ],
  },
  "attribute-remapper": {
    label: "Attribute remapper",
    about: "Moves or copies a value to an attribute or a tag.",
    blank: { sources: [], source_type: "attribute", target: "", target_type: "attribute", preserve_source: false, override_on_conflict: false },
    fields: (body) => [
      { kind: "choice", path: "source_type", label: "From", options: words("attribute", "tag"), preset: "attribute" },
      sources("user, login"),
      { kind: "choice", path: "target_type", label: "To", options: words("attribute", "tag"), preset: "attribute" },
      target("usr.name"),
      ...(member(body, "target_type") === "tag" ? [] : [{ kind: "choice", path: "target_format", label: "As", options: words("auto", "string", "integer", "double"), preset: "auto" } satisfies Field]),
      preserve,
      override,
    ],
  },
  "date-remapper": remapper("Date remapper", "Sets the time of the log.", "timestamp, eventTime"),
  "status-remapper": remapper("Status remapper", "Sets the status: numbers 0 to 7 and words such as warn, ERROR.", "level, severity"),
  "service-remapper": remapper("Service remapper", "Sets the service.", "service.name"),
  "message-remapper": remapper("Message remapper", "Sets the message.", "msg"),
  "trace-id-remapper": remapper("Trace remapper", "Sets the trace that the log belongs to.", "dd.trace_id"),
  "span-id-remapper": remapper("Span remapper", "Sets the span that the log belongs to.", "dd.span_id"),
  "url-parser": {
    label: "URL parser",
    about: "Host, port, path, scheme and query of a URL.",
    blank: { sources: ["http.url"], target: "http.url_details" },
    fields: () => [sources("http.url"), target("http.url_details"), { kind: "flag", path: "normalize_ending_slashes", label: "Drop slashes at the end of the path" }],
  },
  "user-agent-parser": {
    label: "User-agent parser",
    about: "System, browser and device of a user agent.",
    blank: { sources: ["http.useragent"], target: "http.useragent_details", is_encoded: false },
    fields: () => [sources("http.useragent"), target("http.useragent_details"), { kind: "flag", path: "is_encoded", label: "The value is URL-encoded" }],
  },
  "geo-ip-parser": {
    label: "GeoIP parser",
    about: "Country, city and network of an address.",
    blank: { sources: ["network.client.ip"], target: "network.client.geoip" },
    fields: () => [sources("network.client.ip"), target("network.client.geoip")],
  },
  "category-processor": {
    label: "Category processor",
    about: "Writes the name of the first category whose query takes the log.",
    blank: { target: "", categories: [{ filter: { query: "" }, name: "" }] },
    fields: () => [target("evt.outcome"), { kind: "categories", path: "categories", label: "Categories" }],
  },
  "arithmetic-processor": {
    label: "Arithmetic processor",
    about: "Writes the result of a formula.",
    blank: { expression: "", target: "", is_replace_missing: false },
    fields: () => [{ kind: "text", path: "expression", label: "Formula", placeholder: "end_time - start_time", description: "+ - * / and parentheses; blanks around the minus" }, target("duration"), { kind: "flag", path: "is_replace_missing", label: "Missing attributes count as 0" }],
  },
  "string-builder-processor": {
    label: "String builder",
    about: "Writes a text with values in it.",
    blank: { template: "", target: "", is_replace_missing: false },
    fields: () => [{ kind: "text", path: "template", label: "Text", placeholder: "%{usr.name} from %{network.client.ip}" }, target("summary"), { kind: "flag", path: "is_replace_missing", label: "Missing attributes count as empty" }],
  },
  "lookup-processor": {
    label: "Lookup",
    about: "Writes what a list or a reference table has for a value.",
    blank: { source: "", target: "", lookup_table: [] },
    fields: (body) => [
      source("account.id"),
      target("account.name"),
      lookupVariant,
      ...(usesTable(body)
        ? [{ kind: "table", path: "lookup_enrichment_table", label: "Reference table", description: "The target becomes the row, an object by column" } satisfies Field]
        : [
            { kind: "list", path: "lookup_table", label: "Values", rows: 4, placeholder: "123456789012,production", description: "One a line: the key, a comma, the value" } satisfies Field,
            { kind: "text", path: "default_lookup", label: "Otherwise", placeholder: "nothing is written" } satisfies Field,
          ]),
    ],
  },
  "array-processor": { label: "Array processor", about: "Reads and writes lists.", blank: { operation: { type: "append", source: "", target: "", preserve_source: true } }, fields: arrayFields },
  "array-map-processor": {
    label: "Array map",
    about: "A small pipeline for each element of a list.",
    blank: { source: "", target: "", preserve_source: true, processors: [] },
    fields: () => [source("items"), target("names"), { ...preserve, preset: true }, { kind: "json", path: "processors", label: "Processors of an element", rows: 8, description: "As JSON in the shape of the API; they read $sourceElem and write $targetElem" }],
  },
  "decoder-processor": {
    label: "Decoder",
    about: "Decodes Base64 or Base16.",
    blank: { source: "", target: "", binary_to_text_encoding: "base64", input_representation: "utf_8" },
    fields: () => [source("payload"), target("payload_text"), { kind: "choice", path: "binary_to_text_encoding", label: "Encoded as", options: words("base64", "base16"), preset: "base64" }, { kind: "choice", path: "input_representation", label: "Holds", options: [{ value: "utf_8", label: "text" }, { value: "integer", label: "a number" }], preset: "utf_8" }],
  },
  "exclude-attribute": { label: "Remove an attribute", about: "Takes an attribute away.", blank: { attribute_to_exclude: "" }, fields: () => [{ kind: "text", path: "attribute_to_exclude", label: "Attribute", placeholder: "password" }] },
  "schema-processor": {
    label: "Schema processor (OCSF)",
    about: "Maps the log to a class of OCSF.",
    blank: { name: "OCSF", schema: { schema_type: "ocsf", version: "1.5.0", class_uid: 3002, class_name: "Authentication", profiles: [] }, mappers: [] },
    fields: () => [
      { kind: "json", path: "schema", label: "Schema", rows: 6, description: "As JSON in the shape of the API: class, version and profiles" },
      { kind: "json", path: "mappers", label: "Mappers", rows: 12, description: "As JSON in the shape of the API; what is missing or wrong is told by name" },
    ],
  },
  pipeline: { label: "Nested pipeline", about: "Processors for the logs that a filter takes.", blank: { filter: { query: "" }, processors: [] }, fields: () => [] },
};

export const kindLabel = (type: string): string => KINDS[type]?.label ?? type;

/** A new processor: on, since whoever adds one here means it. */
export const newProcessor = (type: string): Processor => ({ type, is_enabled: true, ...(type === "schema-processor" ? {} : { name: "" }), ...structuredClone(KINDS[type]?.blank ?? {}) });
