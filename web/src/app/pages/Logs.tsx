import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { LogsPage } from "@/features/logs/LogsPage";
import type { ExplorerSearch } from "@/lib/urlState";

const route = getRouteApi("/shell/logs");

export function Logs() {
  const navigate = route.useNavigate();
  const go = useCallback((search: ExplorerSearch, replace: boolean) => void navigate({ search, replace }), [navigate]);
  return <LogsPage search={route.useSearch()} navigate={go} />;
}
