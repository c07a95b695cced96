import type { ReactNode } from "react";

/** A name and its value in a list of facts (`Page.module.css`). */
export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
