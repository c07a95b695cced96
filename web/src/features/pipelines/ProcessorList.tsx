import { Button, Menu, Switch, TextInput } from "@mantine/core";
import type { FieldFault } from "@/api/errors";
import type { Processor } from "@/api/pipelines";
import { Icon } from "@/components/icons";
import { MoreItem, MoreMenu } from "@/components/MoreMenu";
import pages from "@/components/Page.module.css";
import { QueryField } from "@/components/QueryField";
import { useReorder } from "@/components/useReorder";
import { plural } from "@/lib/format";
import { faultAt, faultsIn, isOn, itemOf, member, moved, withMember, type Item } from "./pipelineDraft";
import classes from "./pipelines.module.css";
import { ProcessorFields } from "./ProcessorFields";
import { KINDS, kindLabel, newProcessor } from "./processorKinds";

export interface ListContext {
  faults: FieldFault[];
  /** What trying the sample gave, by place. */
  outcomes: ReadonlyMap<string, string>;
  /** Keys of the items that are unfolded. */
  open: ReadonlySet<string>;
  onOpen: (key: string, open: boolean) => void;
  readOnly: boolean;
  /** What completion counts in, as ISO times. */
  from: string;
  to: string;
}

interface Props {
  items: Item[];
  /** The place of the pipeline that holds them: empty, or `processors[2].`. */
  prefix: string;
  context: ListContext;
  onChange: (items: Item[]) => void;
}

/** Processors in the order in which they run. */
export function ProcessorList({ items, prefix, context, onChange }: Props) {
  const isNested = prefix !== "";
  const reorder = useReorder(items.length, (from, to) => onChange(moved(items, from, to)));
  return (
    <>
      <ol className={classes.processors}>
        {items.map((item, index) => (
          <li key={item.key} className={classes.processor} {...reorder.row(index)}>
            <ProcessorCard
              item={item}
              where={`${prefix}processors[${String(index)}]`}
              label={nameOf(item, index)}
              handle={context.readOnly ? null : reorder.handle(index, nameOf(item, index))}
              context={context}
              onChange={(next) => onChange(items.map((each) => (each.key === item.key ? next : each)))}
              onRemove={() => onChange(items.filter((each) => each.key !== item.key))}
              onCopy={() => onChange([...items.slice(0, index + 1), itemOf(structuredClone({ ...item.body, ...(item.inner ? { processors: item.inner.map((each) => each.body) } : {}) })), ...items.slice(index + 1)])}
            />
          </li>
        ))}
      </ol>
      {reorder.announcement}
      {!context.readOnly && (
        <div>
          <AddProcessor isNested={isNested} onAdd={(type) => onChange([...items, addedTo(context, type)])} />
        </div>
      )}
    </>
  );
}

function addedTo(context: ListContext, type: string): Item {
  const item = itemOf(newProcessor(type));
  context.onOpen(item.key, true);
  return item;
}

const nameOf = ({ body }: Item, index: number): string => (typeof body.name === "string" && body.name) || `${kindLabel(body.type)} ${String(index + 1)}`;

function AddProcessor({ isNested, onAdd }: { isNested: boolean; onAdd: (type: string) => void }) {
  return (
    <Menu position="bottom-start" width={380}>
      <Menu.Target>
        <Button variant="default" size="compact-xs" leftSection={<Icon name="plus" size={12} />}>
          {isNested ? "Add a processor inside" : "Add a processor"}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={420} className={classes.menu}>
        {Object.entries(KINDS)
          .filter(([type]) => !isNested || type !== "pipeline")
          .map(([type, { label, about }]) => (
            <Menu.Item key={type} onClick={() => onAdd(type)}>
              {label}
              <span className={classes.about}>{about}</span>
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface CardProps {
  item: Item;
  where: string;
  label: string;
  handle: object | null;
  context: ListContext;
  onChange: (item: Item) => void;
  onRemove: () => void;
  onCopy: () => void;
}

function ProcessorCard({ item, where, label, handle, context, onChange, onRemove, onCopy }: CardProps) {
  const { body, inner } = item;
  const { faults, readOnly } = context;
  const kind = KINDS[body.type];
  const fields = kind?.fields(body) ?? [];
  const told = faultsIn(faults, where, ["name", ...(inner ? ["filter", "processors"] : fields.map((field) => field.path))]);
  const open = context.open.has(item.key);
  const setBody = (next: Processor) => onChange({ ...item, body: next });
  const outcome = context.outcomes.get(where);
  return (
    <>
      <div className={classes.head}>
        {handle && (
          <button type="button" className={classes.grip} {...handle}>
            <Icon name="grip" size={14} />
          </button>
        )}
        {!readOnly && <Switch size="xs" aria-label={`${label} enabled`} checked={isOn(body)} onChange={(event) => setBody(withMember(body, "is_enabled", event.currentTarget.checked))} />}
        <button type="button" className={classes.fold} aria-expanded={open} data-off={!isOn(body) || undefined} onClick={() => context.onOpen(item.key, !open)}>
          <Icon name={open ? "chevronDown" : "chevronRight"} size={12} />
          <span className={classes.name}>{label}</span>
          <span className={pages.dim}>{inner ? `${kindLabel(body.type)}, ${plural(inner.length, "processor")}` : kindLabel(body.type)}</span>
        </button>
        {readOnly && !isOn(body) && !outcome && <span className={classes.outcome}>off</span>}
        {told.count > 0 && <span className={pages.fault}>{plural(told.count, "mistake")}</span>}
        {told.count === 0 && outcome && (
          <span className={classes.outcome} data-outcome={outcome}>
            {OUTCOMES[outcome] ?? outcome}
          </span>
        )}
        {!readOnly && (
          <MoreMenu label={`More for ${label}`}>
            <MoreItem icon="copy" onClick={onCopy}>
              Duplicate
            </MoreItem>
            <MoreItem icon="trash" onClick={onRemove}>
              Remove
            </MoreItem>
          </MoreMenu>
        )}
      </div>
      {told.loose && <p className={`${pages.fault ?? ""} ${classes.loose ?? ""}`}>{told.loose}</p>}
      {open && (
        <div className={classes.body}>
          <TextInput size="xs" label="Name" placeholder={kind?.about} disabled={readOnly} value={typeof body.name === "string" ? body.name : ""} error={faultAt(faults, `${where}.name`)} onChange={(event) => setBody(withMember(body, "name", event.currentTarget.value || undefined))} />
          {inner === null && !kind && <p className={pages.dim}>Tocsin knows no form for processors of the type {body.type}.</p>}
          {inner === null && <ProcessorFields fields={fields} body={body} where={where} faults={faults} readOnly={readOnly} onChange={setBody} />}
          {inner !== null && (
            <>
              <QueryField track="logs" label="Filter" placeholder="All logs that get here" value={textMember(body, "filter.query")} error={faultAt(faults, `${where}.filter`)} disabled={readOnly} from={context.from} to={context.to} onChange={(query) => setBody(withMember(body, "filter", { query }))} />
              <ProcessorList items={inner} prefix={`${where}.`} context={context} onChange={(next) => onChange({ ...item, inner: next })} />
            </>
          )}
        </div>
      )}
    </>
  );
}

function textMember(body: Processor, path: string): string {
  const value = member(body, path);
  return typeof value === "string" ? value : "";
}

export const OUTCOMES: Record<string, string> = { changed: "changed it", unchanged: "no change", failed: "failed", disabled: "off", not_matched: "filter says no" };
