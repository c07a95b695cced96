import { Button, Select, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { exploreKeys } from "@/api/explore";
import { convertResults, type JobData } from "@/api/jobs";
import type { ExploreEvent } from "@/api/types";
import { AppLink } from "@/components/AppLink";
import { Dialog, Form } from "@/components/Dialog";
import page from "@/components/Page.module.css";
import { ErrorState } from "@/components/states";
import { plural } from "@/lib/format";
import { SEVERITIES, SEVERITY_WORDS } from "@/lib/severity";
import { stringifySearch } from "@/lib/urlState";
import { rangeOf } from "./model";

interface Props {
  opened: boolean;
  job: JobData;
  results: ExploreEvent[];
  onClose: () => void;
  onDone: () => void;
}

/** Signals of results: with a severity and a message of their own, each result once. */
export function Convert({ opened, job, results, onClose, onDone }: Props) {
  const client = useQueryClient();
  const [severity, setSeverity] = useState<string>("medium");
  const [message, setMessage] = useState("");
  const convert = useMutation({
    mutationFn: async (chosen: string[]) => {
      await convertResults(chosen, severity, message.trim());
      return chosen.length;
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: exploreKeys.track("signals") });
      onDone();
    },
  });
  const close = () => {
    onClose();
    convert.reset();
  };
  const { from, to } = rangeOf(job);
  return (
    <Dialog opened={opened} onClose={close} title={convert.data === undefined ? `Make ${plural(results.length, "signal")}` : "Signals made"} closeOnClickOutside={message === ""}>
      {convert.data !== undefined ? (
        <div className={page.form}>
          <p role="status">{plural(convert.data, "result")} are signals now: open, and in the explorer at the time of their events.</p>
          <div className={page.formEnd}>
            <AppLink to={`/signals${stringifySearch({ query: `@workflow.job.id:"${job.id}"`, from: String(from), to: String(to) })}`}>Show the signals of this job</AppLink>
            <Button onClick={close}>Done</Button>
          </div>
        </div>
      ) : (
        <Form className={page.form} busy={convert.isPending} onSubmit={() => convert.mutate(results.map(({ id }) => id))}>
          <Select size="xs" data-autofocus label="Severity" allowDeselect={false} data={SEVERITIES.map((value) => ({ value, label: SEVERITY_WORDS[value] }))} value={severity} onChange={(next) => next && setSeverity(next)} />
          <Textarea size="xs" label="Message" required withAsterisk={false} placeholder="What the analyst should know" autosize minRows={3} value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
          {convert.error && <ErrorState inline error={convert.error} />}
          <div className={page.formEnd}>
            <Button type="submit" loading={convert.isPending} disabled={message.trim() === ""}>
              Make the signals
            </Button>
          </div>
        </Form>
      )}
    </Dialog>
  );
}
