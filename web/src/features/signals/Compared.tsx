import type { Baseline, Place } from "@/api/explain";
import { AbsoluteTime } from "@/components/Time";
import { ValueMenu } from "@/components/ValueMenu";
import { formatNumber, plural } from "@/lib/format";
import { formatDuration } from "@/lib/time";
import classes from "./signals.module.css";
import { Fact, Part } from "./Told";

/** What the method had before it: the values that it knew, the usual bound, the two places, the steps. */
export function Compared({ baseline }: { baseline: Baseline }) {
  const { new_value: fresh, anomaly, content_anomaly: content, impossible_travel: travel, sequence } = baseline;
  return (
    <>
      {fresh && <NewValue told={fresh} />}
      {anomaly && <Anomaly told={anomaly} />}
      {content && <Content told={content} />}
      {travel && <Travel told={travel} />}
      {sequence && (
        <Part title="Steps">
          <ol className={classes.sequence}>
            {sequence.steps.map((step, index) => (
              <li key={`${step}-${String(index)}`}>
                <span className={classes.dim}>{index + 1}</span> {step}
              </li>
            ))}
          </ol>
        </Part>
      )}
    </>
  );
}

function NewValue({ told }: { told: NonNullable<Baseline["new_value"]> }) {
  return (
    <Part title="What was new">
      <dl className={classes.told}>
        <Fact name={told.fields.join(", ")}>
          {told.values.map((value) => (
            <ValueMenu key={value} field={told.fields[0] ?? ""} value={value}>
              <code>{value}</code>
            </ValueMenu>
          ))}
        </Fact>
        <Fact name="Known before">
          {plural(told.known_values, "value")}
          {told.recent_values && told.recent_values.length > 0 && (
            <>
              , lately <code>{told.recent_values.join(", ")}</code>
            </>
          )}
        </Fact>
      </dl>
    </Part>
  );
}

function Anomaly({ told }: { told: NonNullable<Baseline["anomaly"]> }) {
  const bucket = formatDuration(told.bucket_seconds * 1000);
  return (
    <Part title="What is usual">
      <dl className={classes.told}>
        <Fact name="Seen">
          <strong>{formatNumber(told.value)}</strong> in the window
        </Fact>
        <Fact name="Usual at most">
          <strong>{formatNumber(told.bound)}</strong>: {percent(told.percentile)} of the {told.is_seasonal ? "buckets at this time of such a day" : "buckets before"} had no more
        </Fact>
        <Fact name="Above it">
          {percent(told.excess)} of the bound; {percent(told.limit)} was needed
        </Fact>
        <Fact name="Learned from">{told.history_buckets === 0 ? "nothing yet: the rule's least bound holds while it learns" : `${plural(told.history_buckets, "bucket")} of ${bucket}`}</Fact>
      </dl>
    </Part>
  );
}

function Content({ told }: { told: NonNullable<Baseline["content_anomaly"]> }) {
  return (
    <Part title="What it is unlike">
      <dl className={classes.told}>
        <Fact name="Compared">
          <code>{told.fields.join(", ")}</code>
        </Fact>
        <Fact name="Nearest before">{told.nearest_similarity === undefined ? "nothing to compare with" : `${percent(told.nearest_similarity)} alike`}</Fact>
        <Fact name="Alike enough">
          {plural(told.similar_items, "event")} at {percent(told.similarity_threshold)} or more
        </Fact>
        {told.new_words && told.new_words.length > 0 && (
          <Fact name="Words of its own">
            <code>{told.new_words.join(" ")}</code>
          </Fact>
        )}
      </dl>
    </Part>
  );
}

function Travel({ told }: { told: NonNullable<Baseline["impossible_travel"]> }) {
  const { first_location: first, second_location: second } = told.triggering_locations;
  return (
    <Part title="Travel">
      <dl className={classes.told}>
        <Fact name="From">
          <At place={first} />
        </Fact>
        <Fact name="To">
          <At place={second} />
        </Fact>
        <Fact name="Distance">
          {formatNumber(told.travel_distance)} km in {formatDuration(second.timestamp - first.timestamp)}: {formatNumber(told.travel_speed)} km/h
        </Fact>
        {told.previous_locations.length > 0 && <Fact name="Places before">{[...new Set(told.previous_locations.map(nameOf))].join("; ")}</Fact>}
      </dl>
    </Part>
  );
}

function At({ place }: { place: Place }) {
  return (
    <>
      <strong>{nameOf(place)}</strong>{" "}
      {place.ip && (
        <ValueMenu field="@network.client.ip" value={place.ip}>
          <code>{place.ip}</code>
        </ValueMenu>
      )}
      , <AbsoluteTime time={place.timestamp} />
    </>
  );
}

const nameOf = ({ city, country }: Place): string => [city, country].filter(Boolean).join(", ") || "unknown place";
const percent = (share: number): string => `${formatNumber(Math.round(share * 1000) / 10)} %`;
