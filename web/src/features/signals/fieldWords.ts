/** Short words for long paths; the menu of the value spells the path. */
const WORDS = new Map([
  ["network.client.ip", "client IP"],
  ["network.client.geoip.country.iso_code", "country"],
  ["network.client.geoip.as.name", "network"],
  ["usr.id", "user"],
  ["usr.name", "user name"],
  ["evt.name", "event"],
  ["evt.outcome", "outcome"],
  ["http.useragent", "user agent"],
  ["http.url_details.path", "path"],
]);

const pathOf = (field: string): string => field.replace(/^@/, "");

/** What a field is called beside its value; its path where there is no word. */
export const fieldWords = (field: string): string => WORDS.get(pathOf(field)) ?? pathOf(field);
export const hasWord = (field: string): boolean => WORDS.has(pathOf(field));
