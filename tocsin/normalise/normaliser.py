"""From a raw record to an event: the stages of siem.md §1.1 up to automatic IP collection, in order."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tocsin.event import Event, RawRecord, Rejected, event_id
from tocsin.normalise.addresses import add_addresses
from tocsin.normalise.aliases import Aliases, read_aliases
from tocsin.normalise.limits import LIMITS, Limits, cut_tags, enforce, may_break
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.pipelines import Pipeline, Pipelines, read_pipelines
from tocsin.normalise.reserved import parse_body, read_reserved
from tocsin.normalise.run import Run
from tocsin.normalise.sources import WINDOWS, source_of
from tocsin.normalise.windows import unify
from tocsin.query.values import Scalar, flatten

EMPTY = "empty"

STANDARD_ATTRIBUTES = "_standard_attributes.yaml"

EARLIEST = 315_532_800_000
"""1980: an earlier date is seconds that were taken for milliseconds, or a clock that was never set."""
LATEST = 4_102_444_800_000
"""2100-01-01: a later date is a mistake of its sender and would outlive every retention."""


class Normaliser:
    """Compiled pipelines and what comes before and after them. Holds no state but counters; one for each process."""

    def __init__(self, pipelines: Sequence[Pipeline], aliases: Aliases | None = None, limits: Limits = LIMITS) -> None:
        self._pipelines = Pipelines(pipelines)
        self._aliases = aliases
        self._limits = limits
        self.failures: Counter[str] = Counter()
        """Failed processors by the name of their pipeline."""

    @classmethod
    def shipped(cls, directory: Path, lookups: Lookups) -> "Normaliser":
        """With the pipelines and standard attributes of a content directory (`content/pipelines`)."""
        return cls(read_pipelines(directory, lookups), read_aliases(directory / STANDARD_ATTRIBUTES))

    def normalise(self, record: RawRecord) -> Event:
        """The event of a record. Raises `Rejected` only for what cannot be an event: `empty`."""
        return self.with_values(record)[0]

    def with_values(self, record: RawRecord) -> tuple[Event, dict[str, list[Scalar]]]:
        """The event of a record, and the values of its attributes by path (`flatten`). Raises as `normalise`."""
        attributes, message = parse_body(record.body)
        if not message and not attributes:
            raise Rejected(EMPTY, "the record holds neither a message nor attributes")
        event, has_time = read_reserved(record, attributes, message)
        if event.source is None:
            event.source = source_of(event.attributes, event.message)
        if event.source == WINDOWS:
            unify(event, record.received_at, has_time)
        run = Run(record.received_at, self._failed)
        self._pipelines.run(event, run)
        self._finish(event)
        if self._aliases is not None:
            self._aliases.apply(event.attributes)
        values = flatten(event.attributes)
        add_addresses(event, values)
        if event.tags:
            cut_tags(event, self._limits)
        if may_break(record.raw, self._limits) and enforce(event, len(record.raw), self._limits):
            values = flatten(event.attributes)
        if not EARLIEST <= event.timestamp <= LATEST:
            event.attributes["tocsin"] = {"original_timestamp": event.timestamp}
            event.timestamp = record.received_at
            values = flatten(event.attributes)
        event.id = event_id(event.timestamp, content_of(record), record.occurrence)
        return event, values

    def take_failures(self) -> dict[str, int]:
        """What has failed since this was last asked."""
        taken = dict(self.failures)
        self.failures.clear()
        return taken

    def _failed(self, pipeline: str, error: Exception) -> None:
        self.failures[pipeline] += 1

    @staticmethod
    def _finish(event: Event) -> None:
        """Reserved attributes that are still empty, from what the pipelines found in a syslog header."""
        if event.host is None or event.service is None:
            syslog = event.attributes.get("syslog")
            if type(syslog) is dict:
                if event.host is None and type(syslog.get("hostname")) is str:
                    event.host = syslog["hostname"]
                if event.service is None and type(syslog.get("appname")) is str:
                    event.service = syslog["appname"]


def content_of(record: RawRecord) -> bytes:
    """What makes an event itself: its bytes, and the envelope that says who sent them."""
    envelope = (record.source or "", record.service or "", record.host or "", *record.tags)
    return record.raw if not any(envelope) else record.raw + b"\x1f" + "\x1f".join(envelope).encode("utf-8", "replace")
