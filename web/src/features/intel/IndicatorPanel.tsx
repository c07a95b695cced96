import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { intelKeys, iocQuery, reviewIoc, type IocDetailItem, type ReviewState } from "@/api/intel";
import { AppLink } from "@/components/AppLink";
import { AttributeTable } from "@/components/AttributeTable";
import { Fact } from "@/components/Fact";
import { Gate } from "@/components/Gate";
import pages from "@/components/Page.module.css";
import { Section } from "@/components/Section";
import { SeverityLabel } from "@/components/Severity";
import { SidePanel } from "@/components/SidePanel";
import { ErrorState, SkeletonRows } from "@/components/states";
import { AbsoluteTime, RelativeTime } from "@/components/Time";
import { plural } from "@/lib/format";
import { quoteValue } from "@/lib/queryText";
import { SEVERITIES } from "@/lib/severity";
import { saidOf, Score } from "./IndicatorsTab";
import classes from "./intel.module.css";
import { IntentionLabel, logsOf, signalsOf } from "./labels";

interface Props {
  indicator: string;
  onClose: () => void;
  onStep: (by: 1 | -1) => void;
}

/** One indicator: who says what, why it has its score, where it was met, and whether somebody has looked. */
export function IndicatorPanel({ indicator, onClose, onStep }: Props) {
  const found = useQuery(iocQuery(indicator));
  const ioc = found.data;
  return (
    <SidePanel
      label={`Indicator ${indicator}`}
      onClose={onClose}
      onStep={onStep}
      header={
        <>
          <h2 className={classes.heading}>{indicator}</h2>
          {ioc && (
            <div className={classes.under}>
              <span>{ioc.indicator_type}</span>
              <span>{ioc.categories.join(", ")}</span>
              <span>score {Math.round(ioc.score)}</span>
            </div>
          )}
        </>
      }
    >
      {found.error && <ErrorState inline={Boolean(ioc)} error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <SkeletonRows rows={8} />}
      {ioc && <Details ioc={ioc} />}
    </SidePanel>
  );
}

function Details({ ioc }: { ioc: IocDetailItem }) {
  const { indicator, as_geo: geo } = ioc;
  const place = [geo.city, geo.country_name].filter(Boolean).join(", ");
  const network = [ioc.as_number && `AS${ioc.as_number}`, ioc.as_organization, ioc.as_type].filter(Boolean).join(" · ");
  const severities = SEVERITIES.flatMap((severity) => ioc.signal_severity.filter((each) => each.severity === severity));
  return (
    <>
      <Section title="What feeds say">
        <dl className={pages.facts}>
          {saidOf(ioc).map(({ intention, sources }) => (
            <Fact key={intention} name={<IntentionLabel intention={intention} />}>
              {sources.join(", ")}
            </Fact>
          ))}
          <Fact name="Category">{ioc.categories.join(", ") || "–"}</Fact>
          {ioc.tags.length > 0 && <Fact name="Labels">{ioc.tags.join(", ")}</Fact>}
          <Fact name="First seen">
            <AbsoluteTime time={Date.parse(ioc.first_seen)} />
          </Fact>
          <Fact name="Last seen in a log">
            <AbsoluteTime time={Date.parse(ioc.last_seen)} />
          </Fact>
          {place && <Fact name="Place">{place}</Fact>}
          {network && <Fact name="Network">{network}</Fact>}
        </dl>
      </Section>
      <Section title="Why this score">
        <dl className={pages.facts}>
          <Fact name="Score">
            <Score value={ioc.score} />
          </Fact>
          <Fact name="Sources">{EFFECTS.m_sources[ioc.m_sources]}</Fact>
          <Fact name="Time in feeds">{EFFECTS.m_persistence[ioc.m_persistence]}</Fact>
          <Fact name="Signals">{EFFECTS.m_signal[ioc.m_signal]}</Fact>
          <Fact name="Network">{EFFECTS.m_as_type[ioc.m_as_type]}</Fact>
        </dl>
      </Section>
      <Section title="Where it was met, last 30 days">
        <dl className={pages.facts}>
          <Fact name="Logs">
            <AppLink to={logsOf(indicator)}>{plural(ioc.log_matches, "log")}</AppLink>
          </Fact>
          <Fact name="Signals">
            {severities.length === 0
              ? "none"
              : severities.map(({ severity, count }) => (
                  <div key={severity}>
                    <SeverityLabel severity={severity} /> <AppLink to={signalsOf(indicator, ` status:${severity}`)}>{plural(count, "signal")}</AppLink>
                  </div>
                ))}
          </Fact>
          <Places name="Sources" field="source" values={ioc.log_sources} indicator={indicator} />
          <Places name="Services" field="service" values={ioc.services} indicator={indicator} />
          <Places name="Hosts" field="host" values={ioc.hosts} indicator={indicator} />
          {Object.entries(ioc.users).map(([attribute, users]) => (
            <Places key={attribute} name={`Users (${attribute})`} field={`@${attribute}`} values={users} indicator={indicator} />
          ))}
        </dl>
      </Section>
      {Object.keys(ioc.additional_data).length > 0 && (
        <Section title="Additional data">
          <AttributeTable value={ioc.additional_data} searchable={false} />
        </Section>
      )}
      <Review ioc={ioc} />
    </>
  );
}

const NONE = "no effect";
const EFFECTS = {
  m_sources: { RAISE_SCORE: "+10: more than one source accuses it", LOWER_SCORE: "−10: a source calls it benign", NO_EFFECT: NONE },
  m_persistence: { RAISE_SCORE: "+10: in a feed for 30 days or longer", LOWER_SCORE: "−10: no feed lists it any more", NO_EFFECT: NONE },
  m_signal: { RAISE_SCORE: "+10: there are signals with it", LOWER_SCORE: "−10", NO_EFFECT: NONE },
  m_as_type: { RAISE_SCORE: "+10: an address of a hosting provider", LOWER_SCORE: "−10", NO_EFFECT: NONE },
} as const;

function Places({ name, field, values, indicator }: { name: string; field: string; values: string[]; indicator: string }) {
  if (values.length === 0) return null;
  return (
    <Fact name={name}>
      <span className={classes.values}>
        {values.map((value) => (
          <AppLink key={value} to={logsOf(indicator, ` ${field}:${quoteValue(value)}`)} className={classes.indicator}>
            {value}
          </AppLink>
        ))}
      </span>
    </Fact>
  );
}

function Review({ ioc }: { ioc: IocDetailItem }) {
  const client = useQueryClient();
  const next: ReviewState = ioc.triage_state === "reviewed" ? "not_reviewed" : "reviewed";
  const review = useMutation({ mutationFn: () => reviewIoc(ioc.indicator, next), onSuccess: () => client.invalidateQueries({ queryKey: intelKeys.indicators }) });
  return (
    <Section
      title="Review"
      aside={
        <Gate permission="security_monitoring_signals_write">
          {(may) => (
            <Button variant="default" disabled={!may} loading={review.isPending} onClick={() => review.mutate()}>
              {next === "reviewed" ? "Mark as reviewed" : "Mark as not reviewed"}
            </Button>
          )}
        </Gate>
      }
    >
      {review.error && <ErrorState inline error={review.error} />}
      {(ioc.triage_history ?? []).length === 0 && <p className={pages.dim}>Nobody has marked it as reviewed yet.</p>}
      <ul className={classes.problems}>
        {(ioc.triage_history ?? []).map((entry, index) => (
          <li key={index}>
            {entry.triage_state === "reviewed" ? "reviewed" : "not reviewed"} · {entry.triaged_by} · <RelativeTime time={Date.parse(entry.triaged_at)} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
