import { Loader, Skeleton, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError } from "@/api/errors";
import { facetQuery } from "@/api/explore";
import { formatNumber, plural } from "@/lib/format";
import { clearFacet, facetSelection, toggleValue } from "@/lib/queryText";
import type { FacetValue } from "@/api/types";
import classes from "./FacetPanel.module.css";
import { FacetSection, FacetValues, type Counted } from "./FacetValues";
import type { ExplorerHandle, FacetDefinition } from "./model";
import { useStill } from "./useStandstill";

const SHOWN = 6;
/** One or two hidden values are not worth a click. */
const SHOWN_ALL = 8;
const SEARCH_FROM = 10;
const MORE = 50;

interface Props {
  explorer: ExplorerHandle;
  facet: FacetDefinition;
  open: boolean;
  /** Its values stay where they are, whatever comes. */
  isStill: boolean;
  onOpen: (open: boolean) => void;
}

export function Facet({ explorer, facet, open, isStill, onOpen }: Props) {
  const { state, update } = explorer;
  return (
    <FacetSection label={facet.label} field={facet.field} query={state.query} open={open} onOpen={onOpen} onQuery={update}>
      <Values explorer={explorer} facet={facet} isStill={isStill} />
    </FacetSection>
  );
}

function Values({ explorer, facet, isStill }: Pick<Props, "explorer" | "facet" | "isStill">) {
  const { config, state, filter, update } = explorer;
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const [settled] = useDebouncedValue(search.trim(), 200);
  // Counted without the facet's own choice, so that there is something else to choose.
  const own = useMemo(() => ({ ...filter, query: clearFacet(filter.query, facet.field) }), [filter, facet.field]);
  const limit = all || settled !== "" ? MORE : (facet.order?.length ?? SHOWN_ALL);
  const { data: newest, error, isPending, isFetching, refetch } = useQuery(facetQuery(config.track, own, facet.field, limit, settled));
  const data = useStill(newest, isStill);
  const { included, excluded } = useMemo(() => facetSelection(state.query, facet.field), [state.query, facet.field]);
  const chosen = settled === "" ? [...included, ...excluded] : [];
  const known = data?.data[0]?.values ?? [];
  const rare = chosen.filter((value) => !known.some((other) => other.value === value));
  const counted = useQuery({ ...facetQuery(config.track, { ...own, query: rare.reduce((query, value) => toggleValue(query, facet.field, value), own.query) }, facet.field, MORE, ""), enabled: data !== undefined && rare.length > 0 });

  if (isPending) return <FacetSkeleton />;
  if (!data) return <NotCounted error={error} retry={() => void refetch()} />;
  const result = data.data[0];
  const distinct = result?.distinct ?? 0;
  const listed = all || settled !== "" || facet.order || distinct <= SHOWN_ALL ? (result?.values ?? []) : (result?.values ?? []).slice(0, SHOWN);
  const counts = [...known, ...(rare.length > 0 ? (counted.data?.data[0]?.values ?? []) : [])];
  const countOf = (value: string) => counts.find((other) => other.value === value)?.count ?? (counted.isFetching ? null : 0);
  const values = arrange(listed, facet, chosen, countOf);
  const hidden = distinct - listed.length;
  return (
    <div className={classes.values} aria-busy={isFetching}>
      {isFetching && <Loader size={10} className={classes.spinner} aria-hidden="true" />}
      {(distinct > SEARCH_FROM || search !== "") && !facet.order && (
        <TextInput size="xs" className={classes.search} aria-label={`Search in ${facet.label}`} placeholder={`Search ${plural(distinct, "value")}`} value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
      )}
      {values.length === 0 && <p className={classes.none}>{settled ? "No value contains this." : "No values in this range."}</p>}
      <FacetValues label={facet.label} field={facet.field} values={values} query={state.query} render={facet.render} onQuery={update} />
      {hidden > 0 && !all && settled === "" && (
        <button type="button" className={`link ${classes.more}`} onClick={() => setAll(true)}>
          +{formatNumber(hidden)} more
        </button>
      )}
      {all && (
        <p className={classes.none}>
          {hidden > 0 ? `The ${formatNumber(values.length)} most frequent of ${formatNumber(distinct)}; search for the rest. ` : ""}
          <button type="button" className="link" onClick={() => setAll(false)}>
            Show fewer
          </button>
        </p>
      )}
    </div>
  );
}

/** In the facet's order or by count; what is chosen stays in sight even when nothing has it. */
function arrange(values: FacetValue[], facet: FacetDefinition, chosen: string[], countOf: (value: string) => number | null): Counted[] {
  const kept = chosen.filter((value) => !values.some((other) => other.value === value)).map((value) => ({ value, count: countOf(value) }));
  const listed = [...values, ...kept];
  const { order } = facet;
  if (!order) return listed;
  const rank = (value: string) => (order.includes(value) ? order.indexOf(value) : order.length);
  return listed.toSorted((left, right) => rank(left.value) - rank(right.value));
}

/** In a line, since the list says at length what went wrong, and all facets may have it at once. */
function NotCounted({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <p className={classes.none} title={error instanceof Error ? error.message : undefined}>
      Not counted.{" "}
      {!(error instanceof ApiError && error.isFinal) && (
        <button type="button" className="link" onClick={retry}>
          Try again
        </button>
      )}
    </p>
  );
}

function FacetSkeleton() {
  return (
    <div className={classes.values} aria-busy="true">
      {[70, 50, 60].map((width) => (
        <Skeleton key={width} height={9} width={`${String(width)}%`} my={8} ml={8} radius={3} />
      ))}
    </div>
  );
}
