/** A feed while its form is open: plain changes to a copy, and faults at their fields. */
import { ApiError } from "@/api/errors";
import type { FeedAttributes } from "@/api/intel";

export const NEW_FEED: FeedAttributes = {
  name: "",
  format: "csv",
  location: { type: "upload" },
  indicator_type: "",
  columns: {},
  delimiter: "",
  defaults: { category: "malware", intention: "malicious", source: { name: "", url: "" } },
  refresh_interval: 86_400,
  authentication: { type: "none", user_name: "", header_name: "" },
  retro_hunt: false,
  is_enabled: true,
};

/** Types of indicators, as feeds name them, with the words for people. */
export const TYPES: Record<string, string> = {
  ip_address: "IP addresses and networks",
  domain: "Domains",
  url: "URLs",
  md5: "MD5 hashes",
  sha1: "SHA-1 hashes",
  sha256: "SHA-256 hashes",
  ssdeep: "ssdeep hashes",
  aws_account_id: "AWS accounts",
  container_image_name: "Container images",
  container_registry_account_name: "Accounts of container registries",
  ssh_public_key: "Public SSH keys",
  user_agent: "User agents",
};

export const CATEGORIES = ["attack", "malware", "scanner", "bruteforcer", "tor", "residential_proxy", "hosting_proxy", "botnet_proxy", "malware_proxy", "corp_vpn", "cryptomining", "c2", "phishing", "disposable_email"];

/** The columns of a table, and what each is called when nothing is said. */
export const COLUMNS = ["indicator", "type", "category", "intention", "source", "additional_data", "expires_at"] as const;

/** A change of the format takes along what depends on it: only a CSV has columns, and a collection has a URL. */
export function withFormat(draft: FeedAttributes, format: FeedAttributes["format"]): FeedAttributes {
  const csv = format === "csv" ? {} : { indicator_type: "", columns: {}, delimiter: "" };
  return { ...withLocation(draft, format === "taxii" ? "url" : draft.location.type), ...csv, format };
}

/** Only a URL is asked with a secret. */
export function withLocation(draft: FeedAttributes, type: FeedAttributes["location"]["type"]): FeedAttributes {
  const authentication = type === "url" ? draft.authentication : NEW_FEED.authentication;
  return { ...draft, location: { ...draft.location, type }, authentication };
}

/** What is sent: only the part of the location that counts, no columns without a name, no empty secret. */
export function attributesOf(draft: FeedAttributes): FeedAttributes {
  const { type, url, file } = draft.location;
  const { secret, ...authentication } = draft.authentication ?? {};
  return {
    ...draft,
    name: draft.name.trim(),
    location: type === "url" ? { type, url: (url ?? "").trim() } : type === "file" ? { type, file: (file ?? "").trim() } : { type },
    columns: Object.fromEntries(Object.entries(draft.columns ?? {}).filter(([, name]) => name.trim() !== "")),
    authentication: secret ? { ...authentication, secret } : authentication,
  };
}

/** Faults by field (`location.url`), and what belongs to no field. */
export function faultsOf(error: unknown): { fields: Record<string, string>; loose: string[] } {
  if (!(error instanceof ApiError)) return { fields: {}, loose: error instanceof Error ? [error.message] : [] };
  const fields: Record<string, string> = {};
  const loose: string[] = [];
  for (const { target, message } of error.fields) fields[target.replace(/^data\.attributes\./, "")] = message;
  for (const message of error.messages) {
    const [, target, text] = /^([a-z_]+(?:\.[a-z_]+)*): (.+)$/s.exec(message) ?? [];
    if (target !== undefined && text !== undefined) fields[target] ??= text;
    else if (!error.fields.some((fault) => fault.message === message)) loose.push(message);
  }
  return { fields, loose };
}
