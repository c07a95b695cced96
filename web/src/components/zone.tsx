import { createContext, use, useCallback, useMemo, useState, type ReactNode } from "react";
import { recall, remember } from "@/lib/storage";
import type { Zone } from "@/lib/time";

const ZoneContext = createContext<{ zone: Zone; setZone: (zone: Zone) => void }>({ zone: "utc", setZone: () => undefined });

/** One switch for every time on the screen. */
export function ZoneProvider({ children }: { children: ReactNode }) {
  const [zone, setState] = useState<Zone>(() => (recall("zone") === "local" ? "local" : "utc"));
  const setZone = useCallback((next: Zone) => {
    remember("zone", next);
    setState(next);
  }, []);
  const value = useMemo(() => ({ zone, setZone }), [zone, setZone]);
  return <ZoneContext value={value}>{children}</ZoneContext>;
}

export const useZone = () => use(ZoneContext);
