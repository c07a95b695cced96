import { Button, CopyButton, TextInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createKey, keysQuery, revokeKey, type KeyKind } from "@/api/people";
import { useMay } from "@/api/session";
import type { KeyAttributes, Resource } from "@/api/types";
import { AddButton } from "@/components/AddButton";
import { Dialog, Form } from "@/components/Dialog";
import { Gate } from "@/components/Gate";
import { Columns, More, type Column } from "@/components/List";
import page from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";
import { RelativeTime } from "@/components/Time";
import { Head } from "./Head";
import classes from "./settings.module.css";

const COLUMNS: Column[] = [{ label: "Name" }, { label: "Ends in" }, { label: "Created" }, { label: "Last used" }, { label: "Actions", isHidden: true }];

/** Keys that send logs, and keys that act as the person who owns them. */
export function Keys() {
  return (
    <>
      <h1 className="visually-hidden">Keys</h1>
      <KeyTable kind="api_keys" title="API keys" about="Whoever has one may send logs." read="api_keys_read" create="api_keys_write" revoke="api_keys_delete" />
      <KeyTable kind="application_keys" title="Your application keys" about="Together with an API key, one acts as you: for scripts and the command line." read="user_app_keys" create="user_app_keys" revoke="user_app_keys" />
    </>
  );
}

interface KeyTableProps {
  kind: KeyKind;
  title: string;
  about: string;
  /** The permissions that each needs. */
  read: string;
  create: string;
  revoke: string;
}

function KeyTable({ kind, title, about, read, create, revoke }: KeyTableProps) {
  const mayRead = useMay(read);
  const keys = useInfiniteQuery({ ...keysQuery(kind), enabled: mayRead });
  const rows = keys.data?.pages.flatMap((each) => each.data) ?? [];
  const [making, setMaking] = useState(false);
  return (
    <section aria-label={title} className={classes.section}>
      <Head title={title} about={about}>
        <AddButton permission={create} label="New key" onClick={() => setMaking(true)} />
      </Head>
      {keys.error && <ErrorState inline error={keys.error} retry={() => void keys.refetch()} />}
      {!mayRead && <p className={classes.none}>To see them needs the permission {read}.</p>}
      {keys.isLoading && <SkeletonRows rows={3} />}
      {keys.data && rows.length === 0 && <p className={classes.none}>No keys yet.</p>}
      {rows.length > 0 && (
        <table className={page.table}>
          <Columns columns={COLUMNS} />
          <tbody>
            {rows.map((key) => (
              <KeyRow key={key.id} kind={kind} item={key} permission={revoke} />
            ))}
          </tbody>
        </table>
      )}
      <More query={keys} label="Show more keys" />
      <NewKey kind={kind} opened={making} onClose={() => setMaking(false)} />
    </section>
  );
}

function KeyRow({ kind, item, permission }: { kind: KeyKind; item: Resource<KeyAttributes>; permission: string }) {
  const client = useQueryClient();
  const revoke = useMutation({ mutationFn: () => revokeKey(kind, item.id), onSuccess: () => client.invalidateQueries({ queryKey: ["keys", kind] }) });
  const { name, last4, created_at: created, date_last_used: dateUsed, last_used_at: usedAt } = item.attributes;
  const used = dateUsed ?? usedAt;
  return (
    <tr>
      <td>{name}</td>
      <td>
        <code>…{last4}</code>
      </td>
      <td>
        <RelativeTime time={Date.parse(created)} />
      </td>
      <td>{used ? <RelativeTime time={Date.parse(used)} /> : "never"}</td>
      <td className={page.actions}>
        {revoke.error && <span className={classes.fault}>{revoke.error.message}</span>}
        <Gate permission={permission}>
          {(may) => (
            <Button variant="default" size="compact-xs" disabled={!may} loading={revoke.isPending} onClick={() => window.confirm(`Revoke the key “${name}”? What uses it stops working at once.`) && revoke.mutate()}>
              Revoke
            </Button>
          )}
        </Gate>
      </td>
    </tr>
  );
}

function NewKey({ kind, opened, onClose }: { kind: KeyKind; opened: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const make = useMutation({ mutationFn: () => createKey(kind, name.trim()), onSuccess: () => client.invalidateQueries({ queryKey: ["keys", kind] }) });
  const close = () => {
    onClose();
    setName("");
    make.reset();
  };
  const key = make.data?.attributes.key;
  return (
    <Dialog opened={opened} onClose={close} closeOnClickOutside={!key} title={kind === "api_keys" ? "New API key" : "New application key"}>
      {key ? (
        <div className={classes.form}>
          <p>Copy it now: it is shown this once and stored only as a hash.</p>
          <code className={classes.secret}>{key}</code>
          <CopyButton value={key}>{({ copied, copy }) => <Button onClick={copy}>{copied ? "Copied" : "Copy the key"}</Button>}</CopyButton>
        </div>
      ) : (
        <Form className={classes.form} busy={make.isPending} onSubmit={() => make.mutate()}>
          <TextInput size="xs" data-autofocus required withAsterisk={false} label="Name" placeholder="What it is for" value={name} onChange={(event) => setName(event.currentTarget.value)} />
          {make.error && <ErrorState inline error={make.error} />}
          <Button type="submit" loading={make.isPending}>
            Make the key
          </Button>
        </Form>
      )}
    </Dialog>
  );
}
