import { SkeletonRows } from "@/components/states";

export function PageLoading() {
  return (
    <div role="status" aria-label="Loading">
      <SkeletonRows rows={18} />
    </div>
  );
}
