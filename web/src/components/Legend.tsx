import { Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Legend.module.css";
import page from "./Page.module.css";

export interface LegendChoice {
  id: string;
  label: string;
  detail?: string;
  /** What it means, on hover. */
  about?: string;
  count: string;
}

interface Props {
  label: string;
  choices: readonly LegendChoice[];
  /** What is counted, for who listens. */
  unit: string;
  chosen: readonly string[];
  onChoose: (chosen: string[]) => void;
  swatch: (id: string) => ReactNode;
  children?: ReactNode;
}

/** What the colours of a picture mean, how much there is of each, and a choice of those to show. */
export function Legend({ label, choices, unit, chosen, onChoose, swatch, children }: Props) {
  return (
    <div className={classes.legend} role="group" aria-label={label}>
      {choices.map(({ id, label: name, detail, about, count }) => {
        const isChosen = chosen.includes(id);
        return (
          <Tooltip key={id} label={about} disabled={about === undefined}>
            <button type="button" className={classes.choice} aria-pressed={isChosen} onClick={() => onChoose(isChosen ? chosen.filter((other) => other !== id) : [...chosen, id])}>
              {swatch(id)}
              {name} {detail && <span className={page.dim}>{detail}</span>}
              <strong>{count}</strong>
              <span className="visually-hidden">{unit}</span>
            </button>
          </Tooltip>
        );
      })}
      {children}
    </div>
  );
}
