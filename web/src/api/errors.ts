/** What a failed request says, in one shape for every screen. */
export interface QueryFault {
  code: string;
  start: number;
  end: number;
  message: string;
  fix?: string | null;
}

/** A validation message that knows its field: `queries[0].query`; `start` and `end` are characters of its text. */
export interface FieldFault {
  target: string;
  message: string;
  start?: number;
  end?: number;
  fix?: string;
}

export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly status: number,
    readonly messages: string[],
    readonly requestId: string | null,
    readonly query: QueryFault | null = null,
    readonly fields: FieldFault[] = [],
    readonly body: unknown = null,
  ) {
    super(messages.join(" "));
  }

  /** The permission that a 403 says is missing. */
  get permission(): string | null {
    if (this.status !== 403) return null;
    return /\b[a-z]+(?:_[a-z]+)*_(?:read|write|data|invite|manage|delete|run|keys|config|access|logs)\b/.exec(this.message)?.[0] ?? null;
  }

  get isLocked(): boolean {
    return this.status === 403 && /lock/i.test(this.message);
  }

  /** Asked again, the answer would be the same. */
  get isFinal(): boolean {
    return [400, 403, 404].includes(this.status);
  }

  /** An id that names nothing, or can be nobody's. */
  get isUnknown(): boolean {
    return this.status === 400 || this.status === 404;
  }

  get isStale(): boolean {
    return this.status === 409;
  }
}

interface ErrorBody {
  errors?: (string | { title?: string; detail?: string; source?: { pointer?: string } })[];
  error?: Partial<QueryFault> & { details?: FieldFault[] };
}

export function errorOf(status: number, text: string, requestId: string | null): ApiError {
  let body: ErrorBody = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) body = parsed as ErrorBody;
  } catch {
    // A proxy's page, or nothing at all: the status has to do.
  }
  const messages: string[] = [];
  const fields: FieldFault[] = [...(body.error?.details ?? [])];
  for (const item of body.errors ?? []) {
    if (typeof item === "string") messages.push(item);
    else {
      const message = item.detail ?? item.title ?? "";
      messages.push(message);
      if (item.source?.pointer) fields.push({ target: fromPointer(item.source.pointer), message });
    }
  }
  const fault = body.error;
  if (messages.length === 0 && fault?.message) messages.push(fault.message);
  if (messages.length === 0) messages.push(fallback(status));
  const query: QueryFault | null =
    fault && typeof fault.start === "number" && typeof fault.end === "number"
      ? { code: fault.code ?? "", start: fault.start, end: fault.end, message: fault.message ?? "", fix: fault.fix }
      : null;
  return new ApiError(status, messages, requestId, query, fields, body);
}

/** `/queries/0/query` as `queries[0].query`. */
function fromPointer(pointer: string): string {
  return pointer.replace(/^\//, "").replace(/\/(\d+)/g, "[$1]").replace(/\//g, ".");
}

function fallback(status: number): string {
  if (status === 0) return "The server cannot be reached.";
  if (status === 401) return "You are signed out.";
  if (status === 403) return "You may not do this.";
  if (status === 404) return "Not found.";
  if (status === 429) return "Too many requests; try again in a moment.";
  return `The server answered ${String(status)}.`;
}
