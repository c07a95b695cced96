import { Modal } from "@mantine/core";
import { useHotkeyList } from "@/components/hotkeys";
import classes from "./HotkeyHelp.module.css";

const NAMES: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc", mod: navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl", shift: "Shift" };
const GROUPS = ["Everywhere", "List", "Triage", "Panel"];

/** The keys that work right now, from the registry that runs them. */
export function HotkeyHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const hotkeys = useHotkeyList();
  const groups = [...new Set([...GROUPS, ...hotkeys.map((hotkey) => hotkey.group)])];
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.groups}>
        {groups.map((group) => {
          const lines = new Map<string, string[]>();
          for (const hotkey of hotkeys.filter((item) => item.group === group)) {
            const keys = lines.get(hotkey.label) ?? [];
            lines.set(hotkey.label, [...keys, ...hotkey.keys.filter((key) => !keys.includes(key))]);
          }
          if (lines.size === 0) return null;
          return (
            <section key={group} aria-label={group}>
              <h3 className={classes.title}>{group}</h3>
              <dl className={classes.list}>
                {[...lines].map(([label, keys]) => (
                  <div key={label} className={classes.line}>
                    <dt>{label}</dt>
                    <dd>
                      {keys.map((key) => (
                        <kbd key={key}>{key.split("+").map((part) => NAMES[part] ?? part).join(" ")}</kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Modal>
  );
}
