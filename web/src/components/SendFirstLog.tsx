import { AppLink } from "./AppLink";
import { Command } from "./Command";

/** How the first event gets here. */
export function SendFirstLog({ noun }: { noun: string }) {
  const command = `curl -X POST ${window.location.origin}/api/v2/logs \\
  -H "DD-API-KEY: <your API key>" -H "Content-Type: application/json" \\
  -d '[{"ddsource":"sshd","hostname":"web-1","message":"Failed password for root from 203.0.113.9 port 4242 ssh2"}]'`;
  return (
    <>
      <p>{noun === "signals" ? "Signals appear when a detection rule matches logs. Send a first log:" : "Send a first log:"}</p>
      <Command text={command} />
      <p>
        An API key is made under <AppLink to="/settings/keys">Settings, Keys</AppLink>. Whole files go in with <code>tocsin ingest</code>.
      </p>
    </>
  );
}
