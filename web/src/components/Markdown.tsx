import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import { patiently } from "@/api/connection";
import classes from "./Markdown.module.css";

const MarkdownText = lazy(patiently(() => import("./markdownText")));

/** A rule's message, rendered safely; the renderer is loaded on use. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.markdown}>
      <Suspense fallback={<Skeleton height={60} radius={4} />}>
        <MarkdownText text={text} />
      </Suspense>
    </div>
  );
}
