"""The order of work on a record, in one tuple: what arrived becomes an event with context, and what rules find in it.

Used by the intake's workers, by replay, by rule tests and by the command line alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import orjson

from tocsin.enrich import Enricher, Places, parse_url, parse_user_agent
from tocsin.enrich.indicator_table import open_table
from tocsin.enrich.threat_intel import ThreatIntel
from tocsin.event import Event, RawRecord, Rejected
from tocsin.intake.batch import EncodeEvent, Prepared, Work
from tocsin.intake.formats import read_records
from tocsin.intake.processors import Prepare
from tocsin.intake.request import Request
from tocsin.match import Matcher
from tocsin.normalise.aliases import read_aliases
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.normaliser import STANDARD_ATTRIBUTES, Normaliser
from tocsin.normalise.pipelines import PipelineText
from tocsin.query.values import Scalar
from tocsin.rule import Match, Rule
from tocsin.tables import TableFile, Tables


@dataclass(slots=True)
class Passage:
    """One record on its way: each stage adds its part."""

    record: RawRecord
    event: Event = field(init=False)
    values: dict[str, list[Scalar]] = field(init=False)
    """Of the event's attributes, by path (`flatten`)."""
    document: bytes = b""
    """The attributes as JSON, as they are stored and as rules about any text read them."""
    matches: list[Match] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the stages work with."""

    normaliser: Normaliser
    enricher: Enricher
    matcher: Matcher
    threat_intel: ThreatIntel = field(default_factory=lambda: ThreatIntel(None))


def normalise(passage: Passage, tools: Tools) -> None:
    """The event of the record. Raises `Rejected`."""
    passage.event, passage.values = tools.normaliser.with_values(passage.record)


def enrich(passage: Passage, tools: Tools) -> None:
    """Context: places of addresses, user agents, URLs; then the indicators that occur in all that (siem.md §1.1)."""
    tools.enricher.enrich(passage.event, passage.values)
    tools.threat_intel.add(passage.event, passage.values)


def match(passage: Passage, tools: Tools) -> None:
    """What the rules find. Real-time rules see the fully processed log (siem.md §1.13)."""
    passage.document = orjson.dumps(passage.event.attributes)
    passage.matches = tools.matcher.match(passage.event, passage.values, passage.document)


Stage = Callable[[Passage, Tools], None]

STAGES: tuple[Stage, ...] = (normalise, enrich, match)


def passed(record: RawRecord, tools: Tools, stages: Sequence[Stage] = STAGES) -> Passage:
    """A record that went through all stages. Raises `Rejected`."""
    passage = Passage(record)
    for stage in stages:
        stage(passage, tools)
    return passage


def prepare(work: Work, tools: Tools, encode: EncodeEvent) -> Prepared:
    """The rows of one request: every record is either an event or rejected. Raises what `read_records` raises."""
    prepared = Prepared()
    if isinstance(work, Request):
        records, unreadable = read_records(work)
        for record, why in unreadable:
            prepared.reject_unreadable(record, why.code, why.reason)
    else:
        records = list(work)
    records.reverse()
    while records:
        record = records.pop()  # what is done is let go while it is at hand: a request holds a thousand of them
        try:
            passage = passed(record, tools)
            line = encode(passage.event, passage.matches, passage.values, passage.document)
            prepared.add(passage.event.id, line, len(passage.matches))
        except Rejected as rejected:
            prepared.reject(record, rejected.code, rejected.reason)
        except Exception as error:  # noqa: BLE001 - the edge of a worker: the record is kept, counted by its code
            reason = f"our own mistake: {type(error).__name__}: {error}"
            prepared.reject(record, "internal_error", reason)
    prepared.failed_processors = tools.normaliser.take_failures()
    return prepared


def lookups_of(places: Sequence[Path], tables: Sequence[TableFile] = ()) -> Lookups:
    """What processors ask of others; `places` are MMDB files in order of preference."""
    return Lookups(Places(places).place, parse_user_agent, parse_url, Tables(tables).row)


@lru_cache(maxsize=2)
def _normaliser(
    directory: Path,
    texts: tuple[PipelineText, ...] | None,
    places: tuple[Path, ...],
    tables: tuple[TableFile, ...],
) -> Normaliser:
    """Compiled once: rules change much more often than pipelines, and a worker is set up anew for each change."""
    lookups = lookups_of(places, tables)
    if texts is None:
        return Normaliser.shipped(directory, lookups)
    compiled = [pipeline for text in texts if (pipeline := text.compiled(lookups)) is not None]
    return Normaliser(compiled, read_aliases(directory / STANDARD_ATTRIBUTES))


_LAST: list[tuple[tuple[TableFile, ...], Matcher]] = []


def _matcher(rules: Sequence[Rule], tables: tuple[TableFile, ...]) -> Matcher:
    """Made of the one before in this process, where only rules changed: thousands of others need not be compiled."""
    last = _LAST[-1] if _LAST else None
    matcher = (
        last[1].with_rules(rules)
        if last is not None and last[0] == tables
        else Matcher(rules, column=Tables(tables).column)
    )
    _LAST[:] = [(tables, matcher)]
    return matcher


@dataclass(frozen=True)
class Recipe:
    """All that a worker needs to set itself up; picklable, so that it can travel to one.

    `encode` is the store's (`store.rows.encode_event`), passed in because the store comes after this module. `places`
    are MMDB files in order of preference, `pipelines` the directory of shipped pipelines and standard attributes,
    `texts` the pipelines to run in their order, None for the shipped ones, `indicators` the file of all indicators
    (`enrich.indicator_table`), None where there are none, `tables` the reference tables that pipelines and rules name.
    """

    rules: tuple[Rule, ...]
    pipelines: Path
    places: tuple[Path, ...]
    encode: EncodeEvent
    texts: tuple[PipelineText, ...] | None = None
    indicators: Path | None = None
    tables: tuple[TableFile, ...] = ()

    def tools(self) -> Tools:
        """Compile pipelines and rules, open the place databases and the indicators."""
        lookups = lookups_of(self.places)
        return Tools(
            _normaliser(self.pipelines, self.texts, self.places, self.tables),
            Enricher(lookups.place),
            _matcher(self.rules, self.tables),
            ThreatIntel(None if self.indicators is None else open_table(self.indicators)),
        )

    def __call__(self) -> Prepare:
        """Set up a worker (`processors.Setup`)."""
        tools, encode = self.tools(), self.encode
        return lambda work: prepare(work, tools, encode)
