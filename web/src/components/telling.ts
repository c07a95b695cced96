import { notifications } from "@mantine/notifications";
import { straight } from "@/lib/format";

/** How many stand in the corner at once; what comes above that waits until one of them is gone. */
export const MOST_TOLD = 4;

/** Says for some seconds what was done. It is shown also where failures fill the corner: it makes room again soon. */
export function tell(message: string | null, title?: string): void {
  notifications.show({ title: title && straight(title), message: message && straight(message), color: "gray", autoClose: 6000, priority: 1 });
}

/** Says what did not work, until somebody has read and dismissed it. The same failure again is not told twice at once. */
export function tellFailure(title: string, message: string): void {
  notifications.show({ id: `${title}\n${message}`, title: straight(title), message: straight(message), color: "var(--fault)", autoClose: false });
}
