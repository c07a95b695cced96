import { isSeverity, isTriageState, SEVERITY_WORDS, STATE_WORDS, type Severity } from "@/lib/severity";
import classes from "./Severity.module.css";

/** Shapes that stay apart without colour: octagon, triangle, diamond, square, ring. */
const SHAPES: Record<Severity, string> = {
  critical: "M4 .8h4L11.200 4v4L8 11.200H4L.8 8V4z",
  high: "M6 .9 11.500 10.800H.500z",
  medium: "M6 .5 11.500 6 6 11.500 .5 6z",
  low: "M1.500 1.500h9v9h-9z",
  info: "M6 1.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zm0 2a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5z",
};

/** A severity by colour, word and shape. */
export function SeverityLabel({ severity, compact = false }: { severity: string; compact?: boolean }) {
  if (!isSeverity(severity)) return <span className={classes.label}>{severity}</span>;
  const word = SEVERITY_WORDS[severity];
  return (
    <span className={classes.label} style={{ color: `var(--${severity})` }}>
      <SeverityShape severity={severity} />
      {compact ? <span className="visually-hidden">{word}</span> : word}
    </span>
  );
}

export function SeverityShape({ severity }: { severity: Severity }) {
  return (
    <svg aria-hidden="true" className={classes.shape} width="11" height="11" viewBox="0 0 12 12" fill={`var(--${severity}-fill)`}>
      <path d={SHAPES[severity]} fillRule="evenodd" />
    </svg>
  );
}

const STATE_TOKENS = { open: "--open", under_review: "--review", archived: "--archived" } as const;

/** A triage state; never red. */
export function StateLabel({ state }: { state: string }) {
  if (!isTriageState(state)) return <span>{state}</span>;
  return (
    <span className={classes.label} style={{ color: `var(${STATE_TOKENS[state]})` }}>
      <svg aria-hidden="true" width="10" height="10" viewBox="0 0 12 12" className={classes.shape}>
        <circle cx="6" cy="6" r="4.600" fill="none" stroke="currentColor" strokeWidth="1.600" />
        {state === "under_review" && <path d="M6 1.400a4.600 4.600 0 0 1 0 9.200z" fill="currentColor" />}
        {state === "archived" && <path d="m3.800 6.100 1.600 1.600 2.900-3.200" fill="none" stroke="currentColor" strokeWidth="1.500" />}
      </svg>
      {STATE_WORDS[state]}
    </span>
  );
}

const STATUS_TOKENS: Record<string, string> = {
  emergency: "--high", alert: "--high", critical: "--high", error: "--high", warn: "--medium", notice: "--low", info: "--info", debug: "--info", ok: "--good",
};

/** The status of a log: a dot and its word. */
export function LogStatus({ status }: { status: string }) {
  const token = STATUS_TOKENS[status] ?? "--info";
  return (
    <span className={classes.label}>
      <span aria-hidden="true" className={classes.dot} style={{ background: `var(${token})` }} />
      {status || "–"}
    </span>
  );
}
