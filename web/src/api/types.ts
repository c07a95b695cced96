/** The shapes of the answers that the screens read (api.md §3–5, §13; our own explore endpoints). */
import type { ArchiveReason, Severity, TriageState } from "@/lib/severity";

export type Track = "logs" | "signals";

export interface Filter {
  query: string;
  /** ISO 8601. */
  from: string;
  to: string;
}

export interface ExploreEvent {
  id: string;
  type: string;
  attributes: EventAttributes;
}

/** Both tracks: what is shown lives in `custom` for signals and `attributes` for logs (api.md §3, §5). */
export interface EventAttributes {
  timestamp: string;
  status?: string;
  message?: string;
  title?: string;
  host?: string | string[];
  service?: string | string[];
  source?: string | string[];
  tags?: string[];
  custom?: Record<string, unknown>;
  attributes?: Record<string, unknown>;
}

export interface EventsPage {
  data: ExploreEvent[];
  meta: { page?: { after?: string | null }; elapsed?: number; snapshot?: unknown };
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface FacetResult {
  facet: string;
  values: FacetValue[];
  distinct: number;
  missing: number;
}

export interface FacetsAnswer {
  data: FacetResult[];
  meta: { total: number; elapsed?: number };
}

export interface TimeBucket {
  time: number;
  count: number;
  by: Record<string, number>;
}

export interface TimeseriesAnswer {
  data: { interval_ms: number; buckets: TimeBucket[] };
  meta: { total: number; elapsed?: number };
}

export interface CountAnswer {
  data: { count: number; latest_ingested_at: number | null };
}

export interface CompletionAnswer {
  data: { start: number; end: number; kind: "field" | "value"; options: { text: string; insert: string; count?: number | null; detail?: string | null }[] };
}

export interface Hint {
  start: number;
  end: number;
  message: string;
  fix?: string | null;
}

export interface CheckAnswer {
  data: { ok: true; hints: Hint[] } | { ok: false; error: { code: string; start: number; end: number; message: string; fix?: string | null } };
}

export interface Person {
  uuid: string;
  handle: string;
  name: string;
  id: number;
}

export interface SignalQuery {
  name: string;
  query: string;
  aggregation: string;
  metric: string | null;
  distinctFields: string[];
  groupByPaths: string[];
  aggregationDetails?: { eventsCount?: number; value?: number; distinctValues?: string[] };
}

export interface SignalSample {
  eventId: string;
  queryIndex: number;
  trackKey?: { type: string };
  content: { timestamp: string; status?: string; host?: string; service?: string[] | string; source?: string; tags?: string[]; message?: string; custom?: Record<string, unknown> };
}

/** `custom` of a signal, as far as the screens read it by name. */
export interface SignalCustom {
  title?: string;
  status?: Severity;
  workflow?: {
    rule?: { id?: string; name?: string; type?: string; version?: number; detectionMethod?: string };
    triage?: {
      state?: TriageState;
      assignee?: Person;
      archiveReason?: ArchiveReason;
      archive_reason?: ArchiveReason;
      archiveComment?: string;
      archive_comment?: string;
      version?: number;
    };
    first_seen?: string;
    last_seen?: string;
    events_matched?: number;
    high_cardinality?: { attributes?: string[]; tags?: string[] };
  };
  triggeringRuleCase?: { name?: string; status?: string; condition?: string };
  entities?: string[];
  groupByValues?: Record<string, string | string[]>;
  queries?: SignalQuery[];
  samples?: SignalSample[];
  relatedQuery?: { from?: number | string; to?: number | string; track?: string; query?: string };
  [member: string]: unknown;
}

export interface HistoryEntry {
  at: number;
  by: { name: string; handle: string } | null;
  kind: string;
  from: string | null;
  to: string | null;
  comment: string | null;
}

export interface TriageResult {
  state: TriageState;
  assignee: Person;
  archive_reason?: ArchiveReason;
  archive_comment?: string;
  version?: number;
}

export interface RuleQuery {
  name: string;
  query: string;
  aggregation: string;
  groupByFields: string[];
  distinctFields: string[];
  metrics?: string[];
  hasOptionalGroupByFields?: boolean;
  [member: string]: unknown;
}

export interface RuleCase {
  name: string;
  status: Severity;
  condition?: string;
  notifications: string[];
  [member: string]: unknown;
}

export interface RuleOptions {
  detectionMethod?: string;
  evaluationWindow?: number;
  keepAlive?: number;
  maxSignalDuration?: number;
  decreaseCriticalityBasedOnEnv?: boolean;
  [member: string]: unknown;
}

export interface Rule {
  id: string;
  name: string;
  message: string;
  type: string;
  isEnabled: boolean;
  isDefault?: boolean;
  tags: string[];
  queries: RuleQuery[];
  cases: RuleCase[];
  options: RuleOptions;
  hasExtendedTitle?: boolean;
  version: number;
  createdAt?: number;
  updatedAt?: number;
  customName?: string;
  customMessage?: string;
  creator?: { handle: string; name: string };
  updater?: { handle: string; name: string };
  [member: string]: unknown;
}

export interface RulesPage {
  data: Rule[];
  meta: { page: { total_count: number; total_filtered_count?: number } };
}

export interface RuleHistoryAnswer {
  data: { attributes: { count: number; data: Record<string, { rule: Rule; changes: { type: string; field: string; change: string }[] }> } };
}

export interface Resource<A> {
  id: string;
  type: string;
  attributes: A;
  relationships?: Record<string, { data?: { id: string; type: string } | { id: string; type: string }[] | null }>;
}

export interface UserAttributes {
  name: string | null;
  email: string;
  handle: string;
  title?: string | null;
  status?: string;
  disabled?: boolean;
  created_at?: string;
  last_login_time?: string | null;
}

export interface RoleAttributes {
  name: string;
  user_count?: number;
}

export interface KeyAttributes {
  name: string;
  last4: string;
  key?: string;
  created_at: string;
  date_last_used?: string | null;
  last_used_at?: string | null;
}
