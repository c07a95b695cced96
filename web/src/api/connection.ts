/** Whether the server can be reached, as the requests of this page and, once one got lost, a question of its own tell. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;
/** Of a proxy, which stands before a server that is not there. */
const OF_A_PROXY: readonly number[] = [502, 503, 504];

let isLost = false;
const listeners = new Set<() => void>();

function set(lost: boolean): void {
  if (lost === isLost) return;
  isLost = lost;
  for (const listener of listeners) listener();
}

export const connectionIsLost = (): boolean => isLost;

/** Calls back at every change, until the answer is called. */
export function whenConnectionChanges(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A request did not get through: from now on the server is asked until it answers. */
export function lostConnection(): void {
  if (isLost) return;
  set(true);
  void askAgain(FIRST_PAUSE_MS);
}

/** Our server answers every request with an id; what has none comes from a proxy in its place. */
export const isFromElsewhere = ({ status, headers }: Response): boolean => OF_A_PROXY.includes(status) && !headers.has("x-request-id");

/** Code that is loaded on use: it is waited for while the server is away. Of one that is there but was updated, it is the router that loads the page anew. */
export const patiently =
  <T>(load: () => Promise<T>) =>
  (): Promise<T> =>
    load().catch(async () => {
      if (!(await answers())) {
        lostConnection();
        await new Promise<void>((resolve) => {
          const stop = whenConnectionChanges(() => {
            stop();
            resolve();
          });
        });
      }
      return load();
    });

const answers = (): Promise<boolean> =>
  fetch("/health/live", { cache: "no-store" }).then(
    ({ ok }) => ok,
    () => false,
  );

async function askAgain(pause: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (await answers()) set(false);
  else await askAgain(Math.min(LONGEST_PAUSE_MS, pause * 2));
}
