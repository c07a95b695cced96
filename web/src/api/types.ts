/**
 * The shapes of the answers that the screens read. What the server's OpenAPI document says is taken from there
 * (`generated`, never edited); here stand only views of what it leaves open: attributes of events, members of rules.
 */
import type { ArchiveReason, Severity, TriageState } from "@/lib/severity";
import type { BulkFailure, TriageAttributes } from "./generated/types.gen";

export type {
  CheckAnswer,
  CompletionAnswer,
  CountAnswer,
  FacetsAnswer,
  FacetValue,
  HistoryEntry,
  QueryHint as Hint,
  RejectedPage,
  ReplayAnswer,
  StatusAnswer,
  StatusAttributes as IntakeStatus,
  TimeBucket,
  TimeseriesAnswer,
  UserAttributes,
} from "./generated/types.gen";

/** A decision as the server confirms it; the person always with name and handle. */
export type TriageResult = Pick<TriageAttributes, "state" | "archive_reason" | "archive_comment" | "version"> & { assignee: Person };

/** What became of each of many. */
export interface BulkAnswer {
  result: { events: { id: string; event: TriageResult }[]; failures: BulkFailure[] };
}

export type Track = "logs" | "signals" | "suppressed";

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
  meta: { page?: { after?: string | null }; elapsed?: number; snapshot: number };
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

/** A case that held at a moment: with which values of the queries. */
export interface Verdict {
  case: string;
  status: string;
  condition: string;
  at: string;
  /** By the names of the queries; null where a method counts nothing. */
  values: Record<string, number | null>;
  window_events: number;
}

/** Why a signal fired (ours, beside the contract). */
export interface Explanation {
  window_seconds: number;
  opened: Verdict;
  decided: Verdict;
  severity_changes: (Verdict & { from: string })[];
  adjustments: { kind: string; from: string; to: string; because: string }[];
  closes_at: string;
  closes_because: string;
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
    window?: { state?: string; closes_at?: string };
    high_cardinality?: { attributes?: string[]; tags?: string[] };
    /** Of a hidden one: by which suppressions, since when, and whether only updates are hidden. */
    suppression?: { id: string[]; name: string[]; version: number[]; since: string; hides: string };
  };
  triggeringRuleCase?: { name?: string; status?: string; condition?: string };
  entities?: string[];
  groupByValues?: Record<string, string | string[]>;
  queries?: SignalQuery[];
  samples?: SignalSample[];
  explanation?: Explanation;
  relatedQuery?: { from?: number | string; to?: number | string; track?: string; query?: string; queries?: Record<string, string> };
  [member: string]: unknown;
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
  meta: { page: { total_count: number; total_filtered_count?: number }; hints?: { message: string; fix?: string | null }[] };
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
