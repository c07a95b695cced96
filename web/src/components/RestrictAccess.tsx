import { Button, MultiSelect, Tooltip } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { rolesFoundQuery, usersQuery } from "@/api/people";
import { editorsOf, restrict, restrictionKeys, restrictionQuery, takeOver, whoMay, type RestrictedType, type Restriction } from "@/api/restrictions";
import { RULES_WRITE } from "@/api/rules";
import { useMay, useMe } from "@/api/session";
import { SUPPRESSIONS_WRITE, suppressionKeys } from "@/api/suppressions";
import { Dialog, Form } from "./Dialog";
import { Icon } from "./icons";
import page from "./Page.module.css";
import { ErrorState, SkeletonRows } from "./states";
import { tell } from "./telling";
import classes from "./RestrictAccess.module.css";

const PAUSE_MS = 200;
const WORDS: Record<RestrictedType, { noun: string; write: string }> = {
  "security-rule": { noun: "rule", write: RULES_WRITE },
  "security-suppression": { noun: "suppression", write: SUPPRESSIONS_WRITE },
};

interface Props {
  type: RestrictedType;
  id: string;
  name: string;
  onClose: () => void;
}

/** The mark of what is restricted, beside its name. */
export function RestrictedMark({ restriction }: { restriction: Restriction | undefined }) {
  if (!restriction) return null;
  const said = whoMay(restriction);
  return (
    <Tooltip label={said}>
      <span className={classes.mark} role="img" aria-label={said}>
        <Icon name="lock" size={12} />
      </span>
    </Tooltip>
  );
}

/** Who may change a rule or a suppression: read, set and taken back by who may change it. */
export function RestrictAccess({ type, id, name, onClose }: Props) {
  const found = useQuery({ ...restrictionQuery(type, id), refetchOnWindowFocus: false, staleTime: 0 });
  return (
    <Dialog opened onClose={onClose} title="Restrict access" closeOnClickOutside={false}>
      {found.data && !found.isFetching ? (
        // What somebody else changed meanwhile is begun anew.
        <Editors key={found.data.meta.version} type={type} id={id} name={name} read={found.data} reread={() => void found.refetch()} onClose={onClose} />
      ) : found.error ? (
        <ErrorState inline error={found.error} retry={() => void found.refetch()} />
      ) : (
        <SkeletonRows rows={3} />
      )}
    </Dialog>
  );
}

function Editors({ type, id, name, read, reread, onClose }: Props & { read: Restriction; reread: () => void }) {
  const client = useQueryClient();
  const me = useMe();
  const { noun, write } = WORDS[type];
  const mayManage = useMay("user_access_manage");
  const mayWrite = useMay(write);
  const own = `user:${me.uuid}`;
  const [chosen, setChosen] = useState(() => (read.meta.restricted ? editorsOf(read) : [own]));
  const save = useMutation({
    mutationFn: (editors: readonly string[] | null) => (editors === null ? takeOver(type, id) : restrict(type, id, read, editors)),
    onSuccess: (saved) => {
      tell(saved.meta.restricted ? whoMay(saved) : `Everybody with the permission may change this ${noun}`);
      onClose();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: restrictionKeys.all });
      if (type === "security-suppression") void client.invalidateQueries({ queryKey: suppressionKeys.all });
    },
  });
  const isStale = save.error instanceof ApiError && save.error.isStale;
  return (
    <Form className={page.form} busy={save.isPending} onSubmit={() => save.mutate(chosen)}>
      {read.meta.editable ? (
        <>
          <p className={classes.about}>
            Only these may change “{name}”; they need the permission {write} as well. Who may see {noun}s still sees it.
          </p>
          <Principals value={chosen} known={{ ...read.meta.names, [own]: me.email }} onChange={setChosen} />
        </>
      ) : (
        <p className={classes.about}>{read.meta.restricted ? `${whoMay(read)}.` : `“${name}” is not restricted: changing it needs the permission ${write}.`}</p>
      )}
      {isStale ? (
        <p role="alert" className={classes.about}>
          Somebody else changed this meanwhile.{" "}
          <button type="button" className="link" onClick={reread}>
            Read it again
          </button>
        </p>
      ) : (
        save.error && <ErrorState inline error={save.error} />
      )}
      <div className={page.formEnd}>
        {read.meta.editable && read.meta.restricted && (
          <Button variant="subtle" color="gray" mr="auto" onClick={() => save.mutate([])}>
            Lift the restriction
          </Button>
        )}
        <Button variant="default" onClick={onClose}>
          {read.meta.editable ? "Cancel" : "Close"}
        </Button>
        {read.meta.editable && (
          <Button type="submit" disabled={chosen.length === 0} loading={save.isPending}>
            Restrict to these
          </Button>
        )}
        {!read.meta.editable && read.meta.restricted && mayManage && mayWrite && (
          <Tooltip label="Makes you one of those who may change it; the audit trail tells of it">
            <Button loading={save.isPending} onClick={() => save.mutate(null)}>
              Take over
            </Button>
          </Tooltip>
        )}
      </div>
    </Form>
  );
}

/** Roles and people, found by what is typed. */
function Principals({ value, known, onChange }: { value: string[]; known: Readonly<Record<string, string>>; onChange: (principals: string[]) => void }) {
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed.trim(), PAUSE_MS);
  const roles = useQuery(rolesFoundQuery(text));
  const people = useQuery(usersQuery(text));
  const [names, setNames] = useState(known);
  const found = {
    Roles: (roles.data?.data ?? []).map((role) => ({ value: `role:${role.id}`, label: role.attributes.name })),
    People: (people.data?.data ?? []).filter((user) => !user.attributes.disabled).map((user) => ({ value: `user:${user.id}`, label: user.attributes.email })),
  };
  const all = [...found.Roles, ...found.People];
  const missing = value.filter((one) => !all.some((option) => option.value === one)).map((one) => ({ value: one, label: names[one] ?? one }));
  return (
    <MultiSelect
      size="xs"
      data-autofocus
      label="Roles and people"
      description="Yourself, or a role of yours, must be among them"
      placeholder={value.length === 0 ? "Name of a role, name or email of a person" : undefined}
      searchable
      hidePickedOptions
      maxDropdownHeight={260}
      data={[{ group: "Roles", items: [...found.Roles, ...missing.filter((one) => one.value.startsWith("role:"))] }, { group: "People", items: [...found.People, ...missing.filter((one) => !one.value.startsWith("role:"))] }]}
      filter={({ options }) => options}
      searchValue={typed}
      onSearchChange={setTyped}
      nothingFoundMessage={roles.isFetching || people.isFetching ? "Searching …" : "No role and nobody is found by this"}
      value={value}
      onChange={(next) => {
        setNames((before) => ({ ...before, ...Object.fromEntries(all.filter((option) => next.includes(option.value)).map((option) => [option.value, option.label])) }));
        onChange(next);
      }}
    />
  );
}
