import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { HiddenSignalsPage } from "@/features/signals/HiddenSignalsPage";
import type { ExplorerSearch } from "@/lib/urlState";

const route = getRouteApi("/shell/signals/suppressed");

export function HiddenSignals() {
  const navigate = route.useNavigate();
  const go = useCallback((search: ExplorerSearch, replace: boolean) => void navigate({ search, replace }), [navigate]);
  return <HiddenSignalsPage search={route.useSearch()} navigate={go} />;
}
