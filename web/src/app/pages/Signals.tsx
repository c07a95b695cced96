import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Navigate } from "@/components/explorer/useExplorer";
import { SignalsPage } from "@/features/signals/SignalsPage";

const route = getRouteApi("/shell/signals");

export function Signals() {
  const navigate = route.useNavigate();
  const go = useCallback<Navigate>((search, replace) => void navigate({ search, replace }), [navigate]);
  return <SignalsPage search={route.useSearch()} navigate={go} />;
}
