import { ActionIcon } from "@mantine/core";
import { Icon } from "@/components/icons";
import { Facet } from "./Facet";
import classes from "./FacetPanel.module.css";
import type { ExplorerHandle } from "./model";

/** Facets with counts; each asks for itself, only while unfolded, and waits for nobody. */
export function FacetPanel({ explorer, isStill }: { explorer: ExplorerHandle; isStill: boolean }) {
  const { config, state, update } = explorer;
  const unfold = (id: string, open: boolean) =>
    update({ facets: config.facets.map((facet) => facet.id).filter((other) => (other === id ? open : state.facets.includes(other))) }, { replace: true });
  return (
    <nav className={classes.panel} aria-label="Facets">
      <div className={classes.head}>
        <span>Facets</span>
        <ActionIcon aria-label="Hide facets" title="Hide facets ([)" onClick={() => update({ facetsHidden: true }, { replace: true })}>
          <Icon name="panelLeft" />
        </ActionIcon>
      </div>
      {config.facets.map((facet) => (
        <Facet key={facet.id} explorer={explorer} facet={facet} isStill={isStill} open={state.facets.includes(facet.id)} onOpen={(open) => unfold(facet.id, open)} />
      ))}
    </nav>
  );
}
