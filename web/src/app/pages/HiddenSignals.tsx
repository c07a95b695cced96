import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Navigate } from "@/components/explorer/useExplorer";
import { HiddenSignalsPage } from "@/features/signals/HiddenSignalsPage";

const route = getRouteApi("/shell/signals/suppressed");

export function HiddenSignals() {
  const navigate = route.useNavigate();
  const go = useCallback<Navigate>((search, replace) => void navigate({ search, replace }), [navigate]);
  return <HiddenSignalsPage search={route.useSearch()} navigate={go} />;
}
