import { useRef, useState, type KeyboardEvent } from "react";
import { Icon } from "@/components/icons";
import { formatCompact, plural } from "@/lib/format";
import classes from "./attack.module.css";
import { densityOf, step, type Matrix, type MatrixTile, type Position } from "./model";

interface Props {
  matrix: Matrix;
  condensed: boolean;
  chosen: MatrixTile | null;
  tactic: string | undefined;
  onTactic: (tactic: string | undefined) => void;
  onOpen: (tile: MatrixTile, from: HTMLElement) => void;
}

/** One tab stop; arrows move among the tiles, Enter opens one. */
export function AttackMatrix({ matrix: { columns }, condensed, chosen, tactic, onTactic, onOpen }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<Position>({ column: 0, row: 0 });
  const lengths = columns.map(({ tiles }) => tiles.length);
  const rows = Math.max(0, ...lengths);
  const first = Math.max(0, lengths.findIndex((length) => length > 0));
  const position = wanted.row < (lengths[wanted.column] ?? 0) ? wanted : { column: first, row: 0 };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>, tile: MatrixTile) => {
    if (event.key === "Enter" || event.key === " " || event.key === "o") {
      event.preventDefault();
      onOpen(tile, event.currentTarget);
      return;
    }
    const next = step(event.key, position, lengths);
    if (!next) return;
    event.preventDefault();
    setWanted(next);
    const cell = grid.current?.querySelector<HTMLElement>(`[data-column="${String(next.column)}"][data-row="${String(next.row)}"]`);
    cell?.focus();
    cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  if (rows === 0) return <p className={classes.nothing}>No technique has so many rules. Choose another density.</p>;
  return (
    <div ref={grid} role="grid" aria-label="Tactics and techniques" className={classes.grid} data-condensed={condensed || undefined} style={{ gridTemplateColumns: `repeat(${String(columns.length)}, minmax(${condensed ? "72px" : "84px"}, ${columns.length === 1 ? "360px" : "1fr"}))` }}>
      <div role="row" className={classes.row}>
        {columns.map(({ tactic: column, covered, all }) => (
          <div key={column.id} role="columnheader" className={classes.tactic}>
            <button type="button" className={classes.tacticButton} aria-pressed={tactic === column.id} title={tactic === column.id ? "Show all tactics" : "Show this tactic only"} onClick={() => onTactic(tactic === column.id ? undefined : column.id)}>
              <span className={classes.tacticName}>{column.attributes.name}</span>
              <span className={classes.share}>
                {covered} of {all}
              </span>
            </button>
          </div>
        ))}
      </div>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} role="row" className={classes.row}>
          {columns.map(({ tactic: column, tiles }, index) => {
            const tile = tiles[row];
            if (!tile) return <div key={column.id} role="gridcell" className={classes.blank} />;
            const here = index === position.column && row === position.row;
            return (
              <div
                key={column.id}
                role="gridcell"
                tabIndex={here ? 0 : -1}
                data-column={index}
                data-row={row}
                data-density={densityOf(tile.tile.rules.length)}
                aria-selected={chosen?.technique.id === tile.technique.id && chosen.tactic.id === tile.tactic.id}
                title={condensed ? `${tile.technique.id} ${tile.technique.attributes.name}` : undefined}
                className={classes.tile}
                onFocus={() => setWanted({ column: index, row })}
                onClick={(event) => onOpen(tile, event.currentTarget)}
                onKeyDown={(event) => onKeyDown(event, tile)}
              >
                <span className={classes.techniqueName}>
                  {condensed ? tile.technique.id : <span className="visually-hidden">{tile.technique.id} </span>}
                  {condensed ? <span className="visually-hidden"> {tile.technique.attributes.name}</span> : breakable(tile.technique.attributes.name)}
                  <span className="visually-hidden">{spoken(tile)}</span>
                </span>
                <span className={classes.numbers} aria-hidden="true">
                  {!condensed && tile.signals !== null && tile.signals > 0 && (
                    <span className={classes.signals}>
                      <Icon name="signals" size={11} />
                      {formatCompact(tile.signals)}
                    </span>
                  )}
                  <span className={classes.rules}>{formatCompact(tile.tile.rules.length)}</span>
                </span>
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}

/** A line may end after a slash, before it has to within a word. */
const breakable = (name: string): string => name.replaceAll("/", "/\u200b");

/** What follows the name of a technique for who listens. */
function spoken({ tactic, tile, signals }: MatrixTile): string {
  const found = signals === null ? "" : `, ${plural(signals, "signal")}`;
  return `in ${tactic.attributes.name}: ${tile.rules.length === 0 ? "no rule" : plural(tile.rules.length, "rule")}${found}`;
}
