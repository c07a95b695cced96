import { PipelineEditor } from "./PipelineEditor";
import { PipelineList } from "./PipelineList";

export type PipelinesSearch = Record<string, string | undefined>;

export interface PipelinesProps {
  search: PipelinesSearch;
  /** `push`: a step that Back leads out of. */
  change: (next: PipelinesSearch, options?: { push?: boolean }) => void;
}

/** All pipelines in their order, or one of them (`pipeline` in the address; `new`, perhaps as a copy of another). */
export function PipelinesPage({ search, change }: PipelinesProps) {
  const id = search.pipeline;
  if (!id) return <PipelineList search={search} change={change} />;
  return <PipelineEditor key={`${id}-${search.copy ?? ""}`} id={id} copyOf={search.copy ?? null} change={change} />;
}
