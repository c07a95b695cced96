import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "@/api/errors";
import { sentence } from "@/lib/format";
import { Icon } from "./icons";
import classes from "./states.module.css";

/** What went wrong, the request's id, and a retry if that may help. `inline` sits above data that stays. */
export function ErrorState({ error, retry, inline = false, children }: { error: unknown; retry?: () => void; inline?: boolean; children?: ReactNode }) {
  const api = error instanceof ApiError ? error : null;
  // The strong line says it already.
  const said = (message: string) => api?.status === 403 && (message === "Forbidden" || message.includes("needs the permission"));
  const messages = api ? api.messages.filter((message) => !said(message)) : [error instanceof Error ? error.message : String(error)];
  return (
    <div className={inline ? classes.inline : classes.block} role="alert">
      <Icon name={api?.status === 403 ? "lock" : "alert"} />
      <div className={classes.text}>
        {api?.status === 403 && (api.permission !== null || messages.length === 0) && <strong>{api.permission ? `This needs the permission ${api.permission}. ` : "You may not see this. "}</strong>}
        {messages.map((message) => (
          <p key={message}>{sentence(message)}</p>
        ))}
        {api?.requestId && (
          <p className={classes.dim}>
            Request <code>{api.requestId}</code>
          </p>
        )}
        {children}
      </div>
      {retry && !api?.isFinal && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <h2 className={classes.title}>{title}</h2>
      {children}
    </div>
  );
}

/** Rows to come, as tall as the real ones. */
export function SkeletonRows({ rows = 12, height = 30 }: { rows?: number; height?: number }) {
  return (
    <div aria-hidden="true" className={classes.skeletons}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height }} className={classes.skeleton}>
          <Skeleton height={10} width={70} radius={3} />
          <Skeleton height={10} width={`${String(30 + ((index * 37) % 40))}%`} radius={3} />
          <Skeleton height={10} width={110} radius={3} ml="auto" />
        </div>
      ))}
    </div>
  );
}
