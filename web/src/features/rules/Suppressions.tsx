import { useQuery } from "@tanstack/react-query";
import { ruleSuppressionsQuery } from "@/api/rules";
import { useMay } from "@/api/session";
import { SUPPRESSIONS_WRITE } from "@/api/suppressions";
import type { Rule } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { EmptyState, ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime } from "@/components/Time";
import { stringifySearch } from "@/lib/urlState";
import page from "@/components/Page.module.css";
import tab from "./tab.module.css";

/** What keeps signals of this rule from people, or logs from it (siem.md §5.2). */
export function Suppressions({ rule }: { rule: Rule }) {
  const mayWrite = useMay(SUPPRESSIONS_WRITE);
  const { data, error, isPending, refetch } = useQuery(ruleSuppressionsQuery(rule.id));
  if (isPending) return <SkeletonRows rows={3} />;
  if (!data) return <ErrorState error={error} retry={() => void refetch()} />;
  const add = mayWrite && <AppLink to={`/suppressions${stringifySearch({ rule: rule.id })}`}>Add a suppression for this rule</AppLink>;
  if (data.length === 0) return <EmptyState title="Nothing is suppressed">Every signal of this rule is shown. {add}</EmptyState>;
  return (
    <>
      <div className={tab.head}>
        <span className={page.dim}>Enabled and not expired; what they hide is counted and can be searched.</span>
        {add}
      </div>
      <table className={page.table}>
        <thead>
          <tr>
            <th scope="col">Suppression</th>
            <th scope="col">Hides signals of</th>
            <th scope="col">Keeps out logs of</th>
            <th scope="col">Until</th>
          </tr>
        </thead>
        <tbody>
          {data.map(({ id, attributes }) => (
            <tr key={id}>
              <td>
                <AppLink to={`/suppressions${stringifySearch({ open: id })}`}>{attributes.name}</AppLink>
              </td>
              <td className={page.mono}>{attributes.suppression_query || "–"}</td>
              <td className={page.mono}>{attributes.data_exclusion_query || "–"}</td>
              <td>{typeof attributes.expiration_date === "number" ? <AbsoluteTime time={attributes.expiration_date} /> : "no end"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
