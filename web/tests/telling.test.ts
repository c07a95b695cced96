import { notifications, notificationsStore } from "@mantine/notifications";
import { beforeEach, expect, it } from "vitest";
import { MOST_TOLD, tell, tellFailure } from "@/components/telling";

const shown = () => notificationsStore.getState().notifications;

beforeEach(() => {
  notifications.clean();
  notificationsStore.updateState((state) => ({ ...state, limit: MOST_TOLD }));
});

it("keeps a failure until it is dismissed, and lets what went well go by itself", () => {
  tellFailure("Not changed", "Somebody was faster");
  tell("Saved");
  const times = Object.fromEntries(shown().map(({ message, autoClose }) => [String(message), autoClose]));
  expect(times).toEqual({ "Somebody was faster": false, Saved: 6000 });
});

it("tells the same failure once, until it was dismissed", () => {
  tellFailure("Not changed", "No connection");
  tellFailure("Not changed", "No connection");
  expect(shown()).toHaveLength(1);
  notifications.clean();
  tellFailure("Not changed", "No connection");
  expect(shown()).toHaveLength(1);
});

it("loses nothing where more fails than fits, and says what went well all the same", () => {
  for (let at = 1; at <= MOST_TOLD + 1; at++) tellFailure("Not changed", `Fault ${String(at)}`);
  tell("Saved");
  expect(shown()).toHaveLength(MOST_TOLD);
  expect(shown().map(({ message }) => message)).toContain("Saved");
  expect(notificationsStore.getState().queue).toHaveLength(2);
});
