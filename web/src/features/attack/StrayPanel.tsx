import type { AttackMapAnswer } from "@/api/attack";
import { AppLink } from "@/components/AppLink";
import page from "@/components/Page.module.css";
import { SidePanel } from "@/components/SidePanel";
import { plural } from "@/lib/format";
import classes from "./attack.module.css";

/** Rules whose tags lead nowhere, with what to write instead. */
export function StrayPanel({ strays, onClose }: { strays: AttackMapAnswer["meta"]["not_on_map"]; onClose: () => void }) {
  return (
    <SidePanel label="Rules that are not on the map" onClose={onClose} header={<h2 className={page.heading}>{plural(strays.length, "rule")} not on the map</h2>}>
      <p className={page.dim}>Not at all, or not wherever their tags would have them.</p>
      <ul className={classes.strays}>
        {strays.map((rule) => (
          <li key={rule.id}>
            <AppLink to={`/rules/${rule.id}`}>{rule.name}</AppLink>
            {!rule.enabled && <span className={page.dim}> disabled</span>}
            {(rule.reasons.length > 0 ? rule.reasons : ["It has no technique tag, such as technique:T1566-phishing"]).map((reason) => (
              <p key={reason} className={page.dim}>
                {reason}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </SidePanel>
  );
}
