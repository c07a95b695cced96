/** The one door to the server: cookies, CSRF token, errors, and what happens when the session is over. */
import { isFromElsewhere, lostConnection } from "./connection";
import { ApiError, errorOf } from "./errors";

let csrfToken: string | null = null;
let onSignedOut: () => void = () => undefined;

export function setCsrfToken(token: string | null): void {
  csrfToken = token;
}

/** Called once per 401, so that the app can show the sign-in and come back. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export interface RequestOptions {
  body?: unknown;
  /** A body that is sent as it is, such as a file. */
  raw?: Blob;
  signal?: AbortSignal;
  /** A 401 here is an answer (wrong password), not the end of a session. */
  keepSession?: boolean;
}

const UNREACHED = "The server cannot be reached. Check that it runs, then try again.";

/** Changes, by method, address and body. The second click of a double one asks for the same change as the first, not for another. */
const underWay = new Map<string, Promise<string>>();

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const text = await once(method, path, options);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function once(method: string, path: string, options: RequestOptions): Promise<string> {
  const read = async () => (await send(method, path, options)).text();
  if (method === "GET" || options.signal || options.raw) return read(); // whoever reads, or may call it off, has it alone
  const question = `${method} ${path} ${JSON.stringify(options.body)}`;
  const known = underWay.get(question);
  if (known) return known;
  const answer = read().finally(() => underWay.delete(question));
  underWay.set(question, answer);
  return answer;
}

/** An answer that is a file. */
export const requestFile = async (method: string, path: string, options: RequestOptions = {}): Promise<Blob> => (await send(method, path, options)).blob();

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      body: options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      signal: options.signal,
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    lostConnection();
    throw new ApiError(0, [UNREACHED], null);
  }
  if (isFromElsewhere(response)) lostConnection();
  if (!response.ok) {
    const error = errorOf(response.status, await response.text(), response.headers.get("x-request-id"));
    if (response.status === 401 && !options.keepSession) onSignedOut();
    throw error;
  }
  return response;
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => request<T>("GET", path, { signal });
export const post = <T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> => request<T>("POST", path, { body, signal });
