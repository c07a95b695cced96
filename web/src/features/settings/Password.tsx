import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { setPassword } from "@/api/people";
import { Dialog, Form } from "@/components/Dialog";
import { ErrorState } from "@/components/states";
import { tell } from "@/components/telling";
import classes from "./settings.module.css";

interface Props {
  /** Null: one's own, which needs the present one. */
  userId: string | null;
  name: string;
  opened: boolean;
  onClose: () => void;
}

export function Password({ userId, name, opened, onClose }: Props) {
  return (
    <Dialog closeOnClickOutside={false} opened={opened} onClose={onClose} title={userId === null ? "Change your password" : `Set a password for ${name}`}>
      {opened && <PasswordForm userId={userId} onDone={onClose} />}
    </Dialog>
  );
}

function PasswordForm({ userId, onDone }: { userId: string | null; onDone: () => void }) {
  const [current, setCurrent] = useState("");
  const [password, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => setPassword(userId, password, current),
    onSuccess: () => {
      tell("The password is set");
      onDone();
    },
  });
  return (
    <Form className={classes.form} busy={change.isPending} onSubmit={() => change.mutate()}>
      {userId === null && <PasswordInput size="xs" data-autofocus required withAsterisk={false} label="Present password" autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.currentTarget.value)} />}
      <PasswordInput size="xs" data-autofocus={userId !== null || undefined} required withAsterisk={false} label="New password" autoComplete="new-password" value={password} onChange={(event) => setNext(event.currentTarget.value)} />
      {change.error && <ErrorState inline error={change.error} />}
      <Button type="submit" loading={change.isPending}>
        Set the password
      </Button>
    </Form>
  );
}
