import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiError } from "@/api/errors";
import { signIn } from "@/api/session";
import classes from "./SignInPage.module.css";

/** Sign in, then back to where the person wanted to go. */
export function SignInPage({ onDone }: { onDone: () => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const attempt = useMutation({ mutationFn: () => signIn(email.trim(), password), onSuccess: onDone });
  useEffect(() => {
    document.title = "Sign in · Tocsin";
  }, []);
  return (
    <main className={classes.page}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          attempt.mutate();
        }}
      >
        <img src="/favicon.svg" alt="" width={34} height={34} />
        <h1 className={classes.title}>Sign in to Tocsin</h1>
        <TextInput label="Email" type="email" name="email" autoComplete="username" required withAsterisk={false} autoFocus size="sm" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required withAsterisk={false} size="sm" value={password} onChange={(event) => setPassword(event.currentTarget.value)} visibilityToggleButtonProps={{ "aria-label": "Show the password" }} />
        {attempt.error && (
          <p className={classes.fault} role="alert">
            {explain(attempt.error)}
          </p>
        )}
        <Button type="submit" size="sm" loading={attempt.isPending} fullWidth>
          Sign in
        </Button>
      </form>
    </main>
  );
}

function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return "Signing in failed.";
  if (error.status === 401 || error.status === 403) return "The email or the password is wrong.";
  if (error.status === 429) return "Too many attempts. Wait a minute, then try again.";
  return `${error.message}${error.requestId ? ` (request ${error.requestId})` : ""}`;
}
