import { SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { Rule } from "@/api/types";
import { recall, remember } from "@/lib/storage";
import { diffLines, folded, pairLines, type DiffLine } from "@/lib/textDiff";
import { written } from "./ruleText";
import classes from "./versions.module.css";

const STORED = "rule-diff";
const MARKS = { kept: " ", removed: "−", added: "+" } as const;
const WORDS = { kept: "", removed: "removed: ", added: "added: " } as const;

/** What differs between two versions of a rule. */
export function RuleDiff({ before, after }: { before: Rule; after: Rule }) {
  const [isSplit, setSplit] = useState(() => recall(STORED) !== "unified");
  const lines = diffLines(written(before), written(after));
  const isSame = lines.every((line) => line.kind === "kept");
  const choose = (value: string) => {
    remember(STORED, value);
    setSplit(value === "split");
  };
  return (
    <section aria-label={`Version ${String(before.version)} against version ${String(after.version)}`}>
      <div className={classes.diffHead}>
        <h2>
          Version {before.version} → {after.version}
        </h2>
        <SegmentedControl
          size="xs"
          aria-label="Layout of the comparison"
          data={[
            { value: "split", label: "Side by side" },
            { value: "unified", label: "Unified" },
          ]}
          value={isSplit ? "split" : "unified"}
          onChange={choose}
        />
      </div>
      {isSame ? <p className={classes.dim}>These two say the same.</p> : isSplit ? <Split lines={lines} /> : <Unified lines={lines} />}
    </section>
  );
}

function Unified({ lines }: { lines: DiffLine[] }) {
  return (
    <table className={classes.diff}>
      <colgroup>
        <col className={classes.lineNumber} />
        <col className={classes.lineNumber} />
        <col />
      </colgroup>
      <tbody>
        {folded(lines, (line) => line.kind === "kept").map((line, index) =>
          typeof line === "number" ? (
            <Hidden key={index} count={line} columns={3} />
          ) : (
            <tr key={index} data-kind={line.kind}>
              <td className={classes.lineNumber}>{line.before}</td>
              <td className={classes.lineNumber}>{line.after}</td>
              <Line line={line} />
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function Split({ lines }: { lines: DiffLine[] }) {
  return (
    <table className={classes.diff}>
      <colgroup>
        <col className={classes.lineNumber} />
        <col />
        <col className={classes.lineNumber} />
        <col />
      </colgroup>
      <tbody>
        {folded(pairLines(lines), (row) => row.before?.kind === "kept").map((row, index) =>
          typeof row === "number" ? (
            <Hidden key={index} count={row} columns={4} />
          ) : (
            <tr key={index}>
              <td className={classes.lineNumber}>{row.before?.before}</td>
              <Line line={row.before} />
              <td className={classes.lineNumber}>{row.after?.after}</td>
              <Line line={row.after} />
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

function Line({ line }: { line: DiffLine | null }) {
  if (!line) return <td className={classes.blank} />;
  return (
    <td className={classes.line} data-kind={line.kind}>
      <span aria-hidden="true">{MARKS[line.kind]} </span>
      <span className="visually-hidden">{WORDS[line.kind]}</span>
      {line.text}
    </td>
  );
}

function Hidden({ count, columns }: { count: number; columns: number }) {
  return (
    <tr>
      <td colSpan={columns} className={classes.hidden}>
        {count} equal lines
      </td>
    </tr>
  );
}
