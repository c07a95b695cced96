import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Navigate } from "@/components/explorer/useExplorer";
import { LogsPage } from "@/features/logs/LogsPage";

const route = getRouteApi("/shell/logs");

export function Logs() {
  const navigate = route.useNavigate();
  const go = useCallback<Navigate>((search, replace) => void navigate({ search, replace }), [navigate]);
  return <LogsPage search={route.useSearch()} navigate={go} />;
}
