import { Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Fragment, useState } from "react";
import { arrangePipelines, deletePipeline, pipelineKeys, pipelinesQuery, updatePipeline, type Pipeline, type Processor } from "@/api/pipelines";
import { useMay } from "@/api/session";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { Icon } from "@/components/icons";
import { List, NothingFound, type Column } from "@/components/List";
import { ListPage } from "@/components/ListPage";
import { MoreItem, MoreMenu } from "@/components/MoreMenu";
import pages from "@/components/Page.module.css";
import { EmptyState } from "@/components/states";
import { tellFailure } from "@/components/telling";
import { Toggle } from "@/components/Toggle";
import { useAction } from "@/components/useAction";
import { useReorder } from "@/components/useReorder";
import { plural } from "@/lib/format";
import { stringifySearch } from "@/lib/urlState";
import { draftOf, isOn, moved, pipelineOf } from "./pipelineDraft";
import type { PipelinesProps } from "./PipelinesPage";
import classes from "./pipelines.module.css";
import { kindLabel } from "./processorKinds";

export const WRITE = "logs_write_pipelines";
const SAVE_AFTER_MS = 500;
const COLUMNS: Column[] = [{ label: "Move", isHidden: true }, { label: "#" }, { label: "On" }, { label: "Pipeline" }, { label: "Filter" }, { label: "Processors" }, { label: "Origin" }, { label: "Actions", isHidden: true }];

/** Pipelines in the order in which logs run through them. */
export function PipelineList({ search, change }: PipelinesProps) {
  const client = useQueryClient();
  const list = useQuery(pipelinesQuery);
  const may = useMay(WRITE);
  // The order that was asked for holds until the list that is read after its change says it: no answer that was on its
  // way before may move the rows back.
  const [order, setOrder] = useState<readonly string[] | null>(null);
  const pipelines = order === null ? (list.data ?? []) : inOrder(list.data ?? [], order);
  const text = search.query ?? "";
  const wanted = text.trim().toLowerCase();
  const shown = pipelines.filter((pipeline) => `${pipeline.name} ${pipeline.filter.query ?? ""} ${pipeline.tags.join(" ")}`.toLowerCase().includes(wanted));
  const open = (search.open ?? "").split(",").filter(Boolean);
  const arrange = useMutation({
    mutationFn: arrangePipelines,
    scope: { id: "pipeline-order" },
    onError: (error) => tellFailure("The order was not saved", `${error.message} The list was read again.`),
    onSettled: async (_answer, _error, asked) => {
      await client.invalidateQueries({ queryKey: pipelineKeys.all });
      setOrder((current) => (current === asked ? null : current));
    },
  });
  // Several moves in a row are one change, also for somebody who leaves at once.
  const save = useDebouncedCallback((asked: readonly string[]) => arrange.mutate(asked), { delay: SAVE_AFTER_MS, flushOnUnmount: true });
  const move = (from: number, to: number) => {
    const asked = moved(pipelines, from, to).map((pipeline) => pipeline.id);
    setOrder(asked);
    save(asked);
  };
  const reorder = useReorder(pipelines.length, move);
  const canMove = may && wanted === "";
  const go = (pipeline: string, copy = "") => change({ pipeline, copy }, { push: true });
  return (
    <ListPage
      title="Pipelines"
      search={{ label: "Search pipelines", placeholder: "Search names, filters and tags", value: text, onSearch: (next) => change({ query: next }) }}
      about={<span role="status">{arrange.isPending ? "Saving the order…" : list.data && `${plural(shown.length, "pipeline")}${wanted === "" ? ", in the order in which logs run through them" : ""}`}</span>}
      actions={<AddButton permission={WRITE} label="New pipeline" onClick={() => go("new")} />}
      overlay={reorder.announcement}
    >
      <List
        query={list}
        count={shown.length}
        columns={COLUMNS}
        tableClassName={classes.table}
        empty={
          wanted ? (
            <NothingFound title="No pipeline matches this search" all="Show all pipelines" onAll={() => change({ query: "" })} />
          ) : (
            <EmptyState title="There are no pipelines">
              <p>A pipeline takes the logs that its filter finds and works on them, step by step, before rules see them. Without one, logs are stored as they come.</p>
            </EmptyState>
          )
        }
      >
        {shown.map((pipeline) => {
          const index = pipelines.indexOf(pipeline);
          const isOpen = open.includes(pipeline.id);
          return (
            <Fragment key={pipeline.id}>
              <PipelineRow
                pipeline={pipeline}
                position={index + 1}
                may={may}
                open={isOpen}
                row={reorder.row(index)}
                handle={canMove ? reorder.handle(index, pipeline.name) : null}
                onUp={canMove && index > 0 ? () => move(index, index - 1) : null}
                onDown={canMove && index < pipelines.length - 1 ? () => move(index, index + 1) : null}
                onOpen={() => change({ open: (isOpen ? open.filter((id) => id !== pipeline.id) : [...open, pipeline.id]).join(",") })}
                onEdit={() => go(pipeline.id)}
                onCopy={() => go("new", pipeline.id)}
              />
              {isOpen && <Inside processors={pipeline.processors} level={1} />}
            </Fragment>
          );
        })}
      </List>
    </ListPage>
  );
}

/** What is new since the order was asked for stands at its end, as the server puts it. */
function inOrder(pipelines: readonly Pipeline[], order: readonly string[]): Pipeline[] {
  const place = new Map(order.map((id, index) => [id, index]));
  return pipelines.toSorted((left, right) => (place.get(left.id) ?? Infinity) - (place.get(right.id) ?? Infinity) || 0);
}

interface RowProps {
  pipeline: Pipeline;
  position: number;
  may: boolean;
  open: boolean;
  row: object;
  handle: object | null;
  onUp: (() => void) | null;
  onDown: (() => void) | null;
  onOpen: () => void;
  onEdit: () => void;
  onCopy: () => void;
}

function PipelineRow({ pipeline, position, may, open, row, handle, onUp, onDown, onOpen, onEdit, onCopy }: RowProps) {
  const { id, name, is_read_only: isShipped, filter, processors, description } = pipeline;
  const toggle = useAction(pipelineKeys.all, `${name} was not changed`, (isEnabled: boolean) => updatePipeline(id, { ...pipelineOf(draftOf(pipeline)), is_enabled: isEnabled }, pipeline.version));
  const remove = useAction(pipelineKeys.all, `${name} was not deleted`, () => deletePipeline(id));
  const enabled = toggle.isPending ? toggle.variables : pipeline.is_enabled;
  const query = filter.query ?? "";
  return (
    <tr className={classes.row} data-off={!enabled || undefined} {...row}>
      <td>
        {handle && (
          <button type="button" className={classes.grip} {...handle}>
            <Icon name="grip" size={14} />
          </button>
        )}
      </td>
      <td>{position}</td>
      <td>
        <Toggle name={name} enabled={enabled} may={may} permission={WRITE} isPending={toggle.isPending} onChange={(on) => toggle.mutate(on)} />
      </td>
      <td className={pages.text} title={description}>
        <AppLink to={`/pipelines${stringifySearch({ pipeline: id })}`}>{name}</AppLink>
      </td>
      <td className={pages.grow} title={query}>
        <AppLink to={`/logs${stringifySearch({ query })}`} className={classes.filter} title={`Logs that ${name} takes`}>
          {query || "all logs"}
        </AppLink>
      </td>
      <td>
        <button type="button" className="link" aria-expanded={open} onClick={onOpen}>
          <span className={classes.mark}>
            <Icon name={open ? "chevronDown" : "chevronRight"} size={11} />
            {plural(processors.length, "processor")}
          </span>
        </button>
      </td>
      <td>
        {isShipped ? (
          <Tooltip label="Comes with Tocsin: it can be switched off, ordered and copied">
            <span className={classes.mark}>
              <Icon name="lock" size={12} /> Shipped, read-only
            </span>
          </Tooltip>
        ) : (
          "Yours"
        )}
      </td>
      <td className={pages.actions}>
        {may && (
          <MoreMenu label={`More for ${name}`}>
            {!isShipped && (
              <MoreItem icon="settings" onClick={onEdit}>
                Edit
              </MoreItem>
            )}
            <MoreItem icon="copy" onClick={onCopy}>
              Copy
            </MoreItem>
            {onUp && (
              <MoreItem icon="chevronUp" onClick={onUp}>
                Move up
              </MoreItem>
            )}
            {onDown && (
              <MoreItem icon="chevronDown" onClick={onDown}>
                Move down
              </MoreItem>
            )}
            {!isShipped && (
              <MoreItem icon="trash" onClick={() => window.confirm(`Delete the pipeline “${name}”? Logs that come from now on are not processed by it; stored ones stay.`) && remove.mutate()}>
                Delete
              </MoreItem>
            )}
          </MoreMenu>
        )}
      </td>
    </tr>
  );
}

/** The processors of a pipeline, those of nested ones a step further in. */
function Inside({ processors, level }: { processors: Processor[]; level: number }) {
  return processors.map((processor, index) => {
    const inner = processor.type === "pipeline" && Array.isArray(processor.processors) ? (processor.processors as Processor[]) : [];
    const name = typeof processor.name === "string" ? processor.name : "";
    return (
      <Fragment key={index}>
        <tr className={classes.inner}>
          <td />
          <td />
          <td />
          <td className={classes.indent} data-level={level} colSpan={2}>
            {name || kindLabel(processor.type)}
          </td>
          <td>{kindLabel(processor.type)}</td>
          <td>{isOn(processor) ? "on" : "off"}</td>
          <td />
        </tr>
        {inner.length > 0 && <Inside processors={inner} level={level + 1} />}
      </Fragment>
    );
  });
}
