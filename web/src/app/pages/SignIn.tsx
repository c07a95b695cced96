import { getRouteApi, useRouter } from "@tanstack/react-router";
import { SignInPage } from "@/features/session/SignInPage";

const route = getRouteApi("/sign-in");

export function SignIn() {
  const { next } = route.useSearch();
  const router = useRouter();
  // Only addresses of this app: `//elsewhere` is another host.
  const target = next?.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : "/signals";
  return <SignInPage onDone={() => router.history.push(target)} />;
}
