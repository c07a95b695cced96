import { getRouteApi } from "@tanstack/react-router";
import { SettingsPage } from "@/features/settings/SettingsPage";

const route = getRouteApi("/shell/settings/$section");

export function Settings() {
  return <SettingsPage section={route.useParams().section} />;
}
