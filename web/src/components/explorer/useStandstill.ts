import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { exploreKeys } from "@/api/explore";
import type { ExplorerHandle } from "./model";

export interface Standstill {
  /** Rows and facets stay as they are, whatever has come meanwhile. */
  isStill: boolean;
  isPointed: () => boolean;
  end: () => void;
  /** For the element whose content is to stand still. */
  area: { onPointerEnter: () => void; onPointerLeave: () => void; onClick: () => void };
}

/**
 * Nothing moves under the pointer. While it is in the area no update begins (`isPointed`); one that nobody asked for and
 * that was on its way when the pointer came is shown when it leaves, or once somebody acts by click or key, whose effect
 * is to be seen.
 */
export function useStandstill({ config, isFollowing }: ExplorerHandle): Standstill {
  const client = useQueryClient();
  const pointed = useRef(false);
  const [isHeld, hold] = useState(false);
  useEffect(() => {
    const release = () => hold(false);
    window.addEventListener("keydown", release);
    return () => window.removeEventListener("keydown", release);
  }, []);
  return {
    isStill: isHeld && isFollowing,
    isPointed: () => pointed.current,
    end: () => hold(false),
    area: {
      onPointerEnter: () => {
        pointed.current = true;
        hold(client.isFetching({ queryKey: exploreKeys.track(config.track) }) > 0);
      },
      onPointerLeave: () => {
        pointed.current = false;
        hold(false);
      },
      onClick: () => hold(false),
    },
  };
}

/** The value as it was when it began to stand still. */
export function useStill<T>(value: T, isStill: boolean): T {
  const [kept, keep] = useState(value);
  if (!isStill && kept !== value) keep(value);
  return isStill ? kept : value;
}
