import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { suppressionHistoryQuery, type Suppression } from "@/api/suppressions";
import page from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import { useZone } from "@/components/zone";
import { formatTime, type Zone } from "@/lib/time";
import { plural } from "@/lib/format";
import { differences } from "./differences";
import classes from "./suppressions.module.css";

interface Props {
  id: string;
  /** Takes a version into the form, from which it is saved; null for who may not change it. */
  onTake: ((then: Suppression["attributes"]) => void) | null;
}

/** Who changed what, newest first, with what stood there before. */
export function Versions({ id, onTake }: Props) {
  const { zone } = useZone();
  const { data, error, isPending, refetch } = useQuery(suppressionHistoryQuery(id));
  if (isPending) return <SkeletonRows rows={4} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  const versions = Object.values(data.data)
    .map(({ suppression }) => suppression)
    .toSorted((left, right) => right.version - left.version);
  return (
    <>
      <ol className={classes.versions}>
        {versions.map((then, index) => (
          <li key={then.version} className={classes.version}>
            <div className={classes.versionHead}>
              <strong>Version {then.version}</strong>
              <span className={page.dim}>
                {then.updater.name ?? then.updater.handle}, <AbsoluteTime time={then.update_date} />
              </span>
              {index === 0 && <span className={page.dim}>current</span>}
              {index > 0 && onTake && (
                <Button variant="default" ml="auto" aria-label={`Restore version ${String(then.version)} …`} onClick={() => onTake(then)}>
                  Restore …
                </Button>
              )}
            </div>
            {then.version === 1 ? <p className={page.dim}>Created</p> : <Changes before={versions[index + 1]} after={then} zone={zone} />}
          </li>
        ))}
      </ol>
      {data.count > versions.length && <p className={page.dim}>{plural(data.count - versions.length, "older version")} not shown.</p>}
    </>
  );
}

function Changes({ before, after, zone }: { before: Suppression["attributes"] | undefined; after: Suppression["attributes"]; zone: Zone }) {
  if (!before) return null;
  const found = differences(before, after, (time) => formatTime(time, zone));
  if (found.length === 0) return <p className={page.dim}>Saved without a change.</p>;
  return (
    <dl className={classes.changes}>
      {found.map(({ field, label, before: was, after: is }) => (
        <div key={field}>
          <dt>{label}</dt>
          <dd>
            {was !== "" && <del>{was}</del>}
            {is !== "" ? <ins>{is}</ins> : <span className={page.dim}>taken away</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
