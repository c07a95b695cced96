import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { SignalsPage } from "@/features/signals/SignalsPage";
import type { ExplorerSearch } from "@/lib/urlState";

const route = getRouteApi("/shell/signals");

export function Signals() {
  const navigate = route.useNavigate();
  const go = useCallback((search: ExplorerSearch, replace: boolean) => void navigate({ search, replace }), [navigate]);
  return <SignalsPage search={route.useSearch()} navigate={go} />;
}
