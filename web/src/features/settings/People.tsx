import { Badge, Button, Select, TextInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { inviteUser, peopleQuery, rolesQuery, setUserDisabled } from "@/api/people";
import { useMe } from "@/api/session";
import type { Resource, UserAttributes } from "@/api/types";
import { AddButton } from "@/components/AddButton";
import { AppLink } from "@/components/AppLink";
import { Dialog, Form } from "@/components/Dialog";
import { Gate } from "@/components/Gate";
import { Columns, More, NothingFound, type Column } from "@/components/List";
import page from "@/components/Page.module.css";
import { SearchField } from "@/components/SearchField";
import { ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { formatNumber, plural } from "@/lib/format";
import { quoteValue } from "@/lib/queryText";
import { stringifySearch } from "@/lib/urlState";
import { Head } from "./Head";
import { Password } from "./Password";
import classes from "./settings.module.css";

const COLUMNS: Column[] = [{ label: "Name" }, { label: "Email" }, { label: "Role" }, { label: "Status" }, { label: "Last sign-in" }, { label: "Signals" }, { label: "Actions", isHidden: true }];

/** Who may sign in, with which role, and when they last did. */
export function People() {
  const [text, setText] = useState("");
  const list = useInfiniteQuery(peopleQuery(text));
  const people = list.data?.pages.flatMap((each) => each.data) ?? [];
  const total = list.data?.pages[0]?.meta.page.total_filtered_count ?? 0;
  const roles = useQuery({ ...rolesQuery, retry: false });
  const [inviting, setInviting] = useState(false);
  const roleName = (user: Resource<UserAttributes>) => {
    const data = user.relationships?.roles?.data;
    const ids = Array.isArray(data) ? data.map((role) => role.id) : [];
    return ids.map((id) => roles.data?.data.find((role) => role.id === id)?.attributes.name ?? "").filter(Boolean).join(", ") || "–";
  };
  return (
    <>
      <Head isPage title="People">
        <AddButton permission="user_access_invite" label="Add a person" onClick={() => setInviting(true)} />
      </Head>
      <div className={classes.find}>
        <SearchField label="Search people" placeholder="Search by name, email or title" value={text} onSearch={setText} />
        <span className={classes.dim} role="status">
          {list.data && `${plural(total, "person", "people")}${list.hasNextPage ? `, ${formatNumber(people.length)} shown` : ""}`}
        </span>
      </div>
      {list.error && <ErrorState inline={Boolean(list.data)} error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <SkeletonRows rows={5} />}
      {list.data && people.length === 0 && <NothingFound title="Nobody matches this search" all="Show all people" onAll={() => setText("")} />}
      {people.length > 0 && (
        <table className={page.table} aria-busy={list.isFetching}>
          <Columns columns={COLUMNS} />
          <tbody>
            {people.map((user) => (
              <Person key={user.id} user={user} role={roleName(user)} />
            ))}
          </tbody>
        </table>
      )}
      <More query={list} label="Show more people" />
      <Dialog closeOnClickOutside={false} opened={inviting} onClose={() => setInviting(false)} title="Add a person">
        <Invite roles={(roles.data?.data ?? []).map((role) => ({ value: role.id, label: role.attributes.name }))} onDone={() => setInviting(false)} />
      </Dialog>
    </>
  );
}

function Person({ user, role }: { user: Resource<UserAttributes>; role: string }) {
  const me = useMe();
  const client = useQueryClient();
  const { name, email, disabled, last_login_time: seen } = user.attributes;
  const [changing, setChanging] = useState(false);
  const change = useMutation({ mutationFn: () => setUserDisabled(user.id, !disabled), onSuccess: () => client.invalidateQueries({ queryKey: ["users"] }) });
  return (
    <tr data-off={disabled || undefined}>
      <td>
        {name ?? user.attributes.handle} {user.id === me.uuid && <Badge>you</Badge>}
      </td>
      <td>{email}</td>
      <td>{role}</td>
      <td>{disabled ? "Disabled" : (user.attributes.status ?? "Active")}</td>
      <td>{seen ? <RelativeTime time={Date.parse(seen)} /> : "never"}</td>
      <td>
        <AppLink to={`/signals${stringifySearch({ query: `@workflow.triage.assignee.uuid:${quoteValue(user.id)}` })}`}>assigned</AppLink>
      </td>
      <td className={page.actions}>
        {change.error && <span className={classes.fault}>{change.error.message}</span>}
        <Password userId={user.id === me.uuid ? null : user.id} name={name ?? email} opened={changing} onClose={() => setChanging(false)} />
        {user.id === me.uuid && (
          <Button variant="default" size="compact-xs" onClick={() => setChanging(true)}>
            Change password
          </Button>
        )}
        {user.id !== me.uuid && (
          <Gate permission="user_access_manage">
            {(may) => (
              <Button variant="default" size="compact-xs" mr={6} disabled={!may} onClick={() => setChanging(true)}>
                Set password
              </Button>
            )}
          </Gate>
        )}
        {user.id !== me.uuid && (
          <Gate permission="user_access_manage">
            {(may) => (
              <Button variant="default" size="compact-xs" disabled={!may} loading={change.isPending} onClick={() => change.mutate()}>
                {disabled ? "Enable" : "Disable"}
              </Button>
            )}
          </Gate>
        )}
      </td>
    </tr>
  );
}

function Invite({ roles, onDone }: { roles: { value: string; label: string }[]; onDone: () => void }) {
  const client = useQueryClient();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [chosen, setRole] = useState<string | null>(null);
  // The roles may come after the form.
  const role = chosen ?? roles.find((each) => each.label.includes("Standard"))?.value ?? roles[0]?.value ?? null;
  const invite = useMutation({
    mutationFn: () => inviteUser(email.trim(), name.trim(), role ?? ""),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["users"] });
      onDone();
    },
  });
  return (
    <Form className={classes.form} busy={invite.isPending} onSubmit={() => invite.mutate()}>
      <TextInput size="xs" data-autofocus type="email" required withAsterisk={false} label="Email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
      <TextInput size="xs" label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Select size="xs" label="Role" required withAsterisk={false} data={roles} value={role} onChange={setRole} allowDeselect={false} />
      <p className={classes.dim}>Then set a password for them in the list, and tell them.</p>
      {invite.error && <ErrorState inline error={invite.error} />}
      <Button type="submit" loading={invite.isPending} disabled={!role}>
        Add
      </Button>
    </Form>
  );
}
