import { useEffect } from "react";
import { straight } from "@/lib/format";

/** The title of the browser's tab while a page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = straight(`${title} · Tocsin`);
  }, [title]);
}
