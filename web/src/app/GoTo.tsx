import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useId, useState, type KeyboardEvent } from "react";
import { ruleChoicesQuery } from "@/api/rules";
import { useMay, useMe } from "@/api/session";
import { Icon, type IconName } from "@/components/icons";
import { searchHistory } from "@/lib/storage";
import { stringifySearch } from "@/lib/urlState";
import classes from "./GoTo.module.css";
import { NAVIGATION, offered } from "./navigation";

const PAUSE_MS = 120;

interface Place {
  label: string;
  detail: string;
  icon: IconName;
  to: string;
}

/** Beyond the pages of the navigation. */
const PLACES: Place[] = [
  { label: "Open high and critical signals", detail: "Signals", icon: "signals", to: `/signals${stringifySearch({ query: "status:(critical OR high) @workflow.triage.state:open" })}` },
  { label: "New rule", detail: "Detection rules", icon: "plus", to: "/rules/new" },
  { label: "People", detail: "Settings", icon: "settings", to: "/settings/people" },
  { label: "Keys", detail: "Settings", icon: "settings", to: "/settings/keys" },
  { label: "Critical assets", detail: "Settings", icon: "settings", to: "/settings/critical-assets" },
  { label: "Status", detail: "Settings", icon: "settings", to: "/settings/status" },
];

/** mod+K: pages, rules and one's own searches by their names. */
export function GoTo({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size="lg" yOffset="12vh" padding={0} transitionProps={{ duration: 80 }}>
      <Modal.Overlay backgroundOpacity={0.4} />
      <Modal.Content aria-label="Go to">{opened && <Palette onClose={onClose} />}</Modal.Content>
    </Modal.Root>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const router = useRouter();
  const id = useId();
  const [text, setText] = useState("");
  const [index, setIndex] = useState(0);
  const me = useMe();
  const mayReadRules = useMay("security_monitoring_rules_read");
  const wanted = text.trim().toLowerCase();
  const [settled] = useDebouncedValue(wanted, PAUSE_MS);
  const rules = useQuery({ ...ruleChoicesQuery(settled), enabled: mayReadRules && settled !== "", retry: false });
  const isComplete = settled === wanted && !rules.isFetching;
  const places: Place[] = [
    ...offered(NAVIGATION, (permission) => me.permissions.has(permission)).flatMap((group) => group.items.map(({ label, icon, to }): Place => ({ label, detail: group.label, icon, to }))),
    ...PLACES,
    ...(["signals", "logs"] as const).flatMap((track) => searchHistory(track).map(({ query }): Place => ({ label: query, detail: `Search in ${track}`, icon: "history", to: `/${track}${stringifySearch({ query })}` }))),
  ];
  const found = places.filter((place) => wanted.split(/\s+/).every((word) => `${place.label} ${place.detail}`.toLowerCase().includes(word))).slice(0, wanted === "" ? 10 : 30);
  const named = wanted === "" ? [] : (rules.data ?? []).map((rule): Place => ({ label: rule.customName || rule.name, detail: "Rule", icon: "rules", to: `/rules/${rule.id}` }));
  const searches: Place[] = wanted === "" ? [] : (["signals", "logs"] as const).map((track) => ({ label: text.trim(), detail: `Search ${track}`, icon: "search", to: `/${track}${stringifySearch({ query: text.trim() })}` }));
  const all = [...found, ...named, ...searches];
  const chosen = Math.min(index, all.length - 1);
  const go = (place: Place | undefined) => {
    if (!place) return;
    onClose();
    router.history.push(place.to);
  };
  // Enter may come before the rules that are called so: it means the first of what will be there.
  const [isEntered, setEntered] = useState(false);
  const enter = useEffectEvent(() => go(all[chosen]));
  useEffect(() => {
    if (isEntered && isComplete) enter();
  }, [isEntered, isComplete]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setIndex((chosen + 1) % all.length);
    else if (event.key === "ArrowUp") setIndex((chosen - 1 + all.length) % all.length);
    else if (event.key === "Enter") setEntered(true);
    else return;
    event.preventDefault();
  };
  return (
    <div>
      <input
        className={classes.input}
        data-autofocus
        autoFocus
        role="combobox"
        aria-label="Go to"
        aria-expanded
        aria-controls={id}
        aria-activedescendant={`${id}-${String(chosen)}`}
        placeholder="Go to a page, a rule or a search"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setIndex(0);
          setEntered(false);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={id} role="listbox" aria-label="Places" className={classes.list}>
        {all.map((place, position) => (
          <li
            key={`${place.to}-${place.detail}-${String(position)}`}
            id={`${id}-${String(position)}`}
            role="option"
            aria-selected={position === chosen}
            className={classes.option}
            onPointerMove={() => setIndex(position)}
            onClick={() => go(place)}
            onKeyDown={onKeyDown}
          >
            <Icon name={place.icon} />
            <span className="truncate">{place.label}</span>
            <span className={classes.detail}>{place.detail}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
