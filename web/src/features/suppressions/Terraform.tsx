import { useQuery } from "@tanstack/react-query";
import { suppressionAsTerraformQuery } from "@/api/suppressions";
import { Command } from "@/components/Command";
import page from "@/components/Page.module.css";
import { ErrorState, SkeletonRows } from "@/components/states";

/** The suppression as it is saved, to go on with as code. */
export function Terraform({ id, version }: { id: string; version: number }) {
  const { data, error, isPending, refetch } = useQuery(suppressionAsTerraformQuery(id, version));
  if (isPending) return <SkeletonRows rows={8} />;
  if (data === undefined) return <ErrorState error={error} retry={() => void refetch()} />;
  return (
    <>
      <p className={page.dim}>The saved suppression as a Terraform resource. What is typed and not saved is not in it.</p>
      <Command text={data} />
    </>
  );
}
