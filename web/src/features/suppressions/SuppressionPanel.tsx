import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { closedBy, useRestrictions } from "@/api/restrictions";
import { useMay } from "@/api/session";
import { createSuppression, deleteSuppression, suppressionFaults, suppressionKeys, suppressionQuery, SUPPRESSIONS_WRITE, updateSuppression, validationQuery, type Suppression, type SuppressionFields } from "@/api/suppressions";
import page from "@/components/Page.module.css";
import { RestrictAccess } from "@/components/RestrictAccess";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { tell } from "@/components/telling";
import { RelativeTime } from "@/components/Time";
import { changesBetween, draftOf } from "./draft";
import { Force } from "./Force";
import { Excluded } from "./Excluded";
import { Preview } from "./Preview";
import { SuppressionForm } from "./SuppressionForm";
import classes from "./suppressions.module.css";
import { Terraform } from "./Terraform";
import { Versions } from "./Versions";

interface Props {
  tab: string | null;
  onTab: (tab: string) => void;
  close: () => void;
}

/** A suppression that is there. */
export function StoredSuppression({ id, ...props }: Props & { id: string }) {
  const found = useQuery({ ...suppressionQuery(id), refetchOnWindowFocus: false });
  if (!found.data) {
    return (
      <SidePanel label="Suppression" header={<h2 className={page.heading}>Suppression</h2>} onClose={props.close}>
        {found.error ? <ErrorState error={found.error} retry={() => void found.refetch()} /> : <SkeletonRows rows={10} />}
      </SidePanel>
    );
  }
  return <SuppressionEditor stored={found.data} original={draftOf(found.data)} opened={() => undefined} {...props} />;
}

/** The form with its preview; for a stored one its versions too. */
export function SuppressionEditor({ stored, original, opened, tab, onTab, close }: Props & { stored: Suppression | null; original: SuppressionFields; opened: (id: string) => void }) {
  const client = useQueryClient();
  const mayWrite = useMay(SUPPRESSIONS_WRITE);
  const may = mayWrite && (stored?.attributes.editable ?? true);
  const restriction = useRestrictions("security-suppression")(stored?.id ?? "");
  const [restricting, setRestricting] = useState(false);
  const [fields, setFields] = useState(original);
  const [begun] = useState(original);
  const [base, setBase] = useState(original);
  const [version, setVersion] = useState(stored?.attributes.version ?? 0);
  const [settled] = useDebouncedValue(fields, 400);
  const changes = changesBetween(base, fields);
  const isDirty = Object.keys(changes).length > 0;
  const isTouched = stored !== null || Object.keys(changesBetween(begun, fields)).length > 0;
  const validation = useQuery({ ...validationQuery(settled), enabled: may && isTouched && settled === fields && (stored === null || isDirty) });

  /** Goes on from a version; what was typed since `since` is kept. */
  const goOnFrom = (newer: Suppression, since: SuppressionFields) => {
    const fresh = draftOf(newer);
    setVersion(newer.attributes.version);
    setBase(fresh);
    setFields((current) => ({ ...fresh, ...changesBetween(since, current) }));
  };
  const save = useMutation({
    mutationFn: (sent: SuppressionFields) => (stored ? updateSuppression(stored.id, changesBetween(base, sent), version) : createSuppression(sent)),
    onSuccess: (saved, sent) => {
      goOnFrom(saved, sent);
      client.setQueryData(suppressionQuery(saved.id).queryKey, saved);
      void client.invalidateQueries({ queryKey: suppressionKeys.all, predicate: ({ queryKey }) => queryKey[1] !== "one" });
      tell(stored ? `Saved as version ${String(saved.attributes.version)}` : "Suppression created; it holds within seconds");
      if (!stored) opened(saved.id);
    },
  });
  const remove = useMutation({
    mutationFn: () => deleteSuppression(stored?.id ?? ""),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: suppressionKeys.all });
      close();
    },
  });
  // Switched in the list, or read again behind the page: nothing is lost while nothing was typed, and saving tells of both.
  if (stored && stored.attributes.version > version && !isDirty && !save.isPending) goOnFrom(stored, base);
  const isCreating = stored === null && (save.isPending || save.isSuccess);
  const guarded = may && isDirty && isTouched && !save.isPending && !isCreating && !remove.isPending;
  // Another page, another suppression, or none: in each case what was typed would be lost.
  const shown = (at: { pathname: string; search: unknown }) => `${at.pathname} ${(at.search as { open?: string }).open ?? ""}`;
  useBlocker({ shouldBlockFn: ({ current, next }) => guarded && shown(current) !== shown(next) && !window.confirm("Leave without saving the changes to this suppression?"), enableBeforeUnload: () => guarded });

  const edit = (change: Partial<SuppressionFields>) => {
    // What was refused may be mended by this; what is on its way is still waited for.
    if (!save.isPending) save.reset();
    setFields((current) => ({ ...current, ...change }));
  };
  const take = (then: Suppression["attributes"]) => {
    edit(draftOf({ attributes: then }));
    onTab("form");
    tell(`Version ${String(then.version)} is in the form: it holds once you save it`);
  };
  const reload = async () => {
    if (!stored) return;
    const newer = await client.fetchQuery({ ...suppressionQuery(stored.id), staleTime: 0 });
    save.reset();
    goOnFrom(newer, base);
  };
  const error = save.error ?? (isTouched ? validation.error : null);
  const faults = suppressionFaults(error instanceof ApiError && error.status === 400 ? error : null);
  const isStale = save.error instanceof ApiError && save.error.isStale;
  const form = (
    <>
      {/* The panel of what is made takes the place of this form: nothing is typed into one that is about to go. */}
      <div inert={isCreating}>
        <SuppressionForm fields={fields} faults={faults} readOnly={!may} edit={edit} />
      </div>
      <Preview fields={fields} isStored={stored !== null} />
      {stored && <Excluded id={stored.id} />}
    </>
  );
  return (
    <SidePanel
      label={stored ? `Suppression: ${stored.attributes.name}` : "New suppression"}
      onClose={close}
      header={
        <>
          <h2 className={page.heading}>{stored ? stored.attributes.name : "New suppression"}</h2>
          {stored && (
            <div className={classes.badges}>
              <Force of={stored.attributes} />
              <span className={page.dim}>
                owned by {stored.attributes.creator.name ?? stored.attributes.creator.handle} · version {stored.attributes.version}, <RelativeTime time={stored.attributes.update_date} />
              </span>
            </div>
          )}
        </>
      }
    >
      <div className={classes.whole}>
        {stored ? (
          <Tabs
            label="Parts of the suppression"
            value={tab}
            onChange={onTab}
            flush
            tabs={[
              { id: "form", label: "Suppression", content: form },
              { id: "versions", label: "Versions", content: <div className={classes.inset}><Versions id={stored.id} onTake={may ? take : null} /></div> },
              { id: "terraform", label: "Terraform", content: <div className={classes.inset}><Terraform id={stored.id} version={version} /></div> },
            ]}
          />
        ) : (
          form
        )}
        <footer className={classes.actions}>
          {!may && <span className={page.dim}>{mayWrite ? closedBy(restriction) : `Changing suppressions needs the permission ${SUPPRESSIONS_WRITE}`}</span>}
          {may && (
            <>
              <Button disabled={(stored !== null && !isDirty) || (faults.length > 0 && !save.error)} loading={save.isPending} onClick={() => save.mutate(fields)}>
                {stored ? "Save" : "Create suppression"}
              </Button>
              {stored && isDirty && (
                <Button variant="default" disabled={save.isPending} onClick={() => setFields(base)}>
                  Discard
                </Button>
              )}
              {stored && (
                <Button variant="subtle" color="gray" loading={remove.isPending} onClick={() => window.confirm(`Delete the suppression “${stored.attributes.name}”? What it has hidden stays hidden; new signals are shown again.`) && remove.mutate()}>
                  Delete
                </Button>
              )}
            </>
          )}
          {stored && (
            <Button variant="subtle" color="gray" ml="auto" onClick={() => setRestricting(true)}>
              {may ? "Restrict access …" : "Who may change it …"}
            </Button>
          )}
          {stored && restricting && <RestrictAccess type="security-suppression" id={stored.id} name={stored.attributes.name} onClose={() => setRestricting(false)} />}
          {isStale && (
            <p role="alert" className={classes.stale}>
              {save.error?.message}{" "}
              <button type="button" className="link" onClick={() => void reload()}>
                Go on from the newer version, keep what I typed
              </button>
            </p>
          )}
          {save.error && !isStale && faults.length === 0 && <ErrorState inline error={save.error} />}
          {remove.error && <ErrorState inline error={remove.error} />}
        </footer>
      </div>
    </SidePanel>
  );
}
