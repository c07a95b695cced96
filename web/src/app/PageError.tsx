import { useRouter } from "@tanstack/react-router";
import { ApiError } from "@/api/errors";
import { AppLink } from "@/components/AppLink";
import { ErrorState } from "@/components/states";

/** What no page of its own could handle. */
export function PageError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <main>
      <h1 className="visually-hidden">Something went wrong</h1>
      <ErrorState error={error} retry={() => void router.invalidate()}>
        {error instanceof ApiError && error.status === 404 && <AppLink to="/signals">Go to the signals</AppLink>}
      </ErrorState>
    </main>
  );
}
