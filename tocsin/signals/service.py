"""Reading single signals: the signal, the events that it rests on, and the searches that lead on from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson

from tocsin.errors import BadRequest, NotFound
from tocsin.evaluate.evaluator import Rules
from tocsin.evaluate.lineage import taught
from tocsin.evaluate.loading import machine_of
from tocsin.evaluate.methods import plan
from tocsin.evaluate.refs import EventRef
from tocsin.evaluate.repository import Matches
from tocsin.evaluate.signals_repository import SignalMatches
from tocsin.event import Event, Json
from tocsin.signal import Triage
from tocsin.signals.projection import with_triage
from tocsin.signals.repository import SignalRows
from tocsin.signals.resource import signal_resource

MAX_PAGE = 1000

NO_LIMIT = 1 << 62


class SignalNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Signal not found")


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events of a signal in order of time, each a `SignalEvent` that is one; `after` is the cursor of the next page,
    None on the last."""

    events: tuple[Event, ...]
    total: int
    after: str | None


class SignalsService:
    """Safe to use from many threads."""

    def __init__(
        self,
        rows: SignalRows,
        matches: Matches,
        rules: Rules,
        members: SignalMatches | None = None,
        triage_of: Callable[[Iterable[str]], Mapping[str, Triage]] = lambda _: {},
    ) -> None:
        """`members` is where the signals behind a signal are, where rules read signals. `triage_of` gives what people
        decided, which the row of a signal may not hold yet."""
        self._members = members
        self._triage_of = triage_of
        self._rows = rows
        self._matches = matches
        self._rules = rules

    def find_signals(self, signal_ids: Iterable[str]) -> Mapping[str, int]:
        """Ids to timestamps (Unix milliseconds) of the signals that exist."""
        return self._rows.timestamps(signal_ids)

    def get(self, signal_id: str) -> dict[str, Json]:
        """The API's resource of a signal with everything, as people have decided by now. Raises `SignalNotFound`.

        The row follows a decision when its message is delivered: after a kill, when the lease of who died has run out.
        """
        row = self._row(signal_id)
        if (triage := self._triage_of([signal_id]).get(signal_id)) is not None:
            row["document"] = orjson.dumps(with_triage(orjson.loads(row["document"]), triage))
        return signal_resource(row)

    def events(
        self, signal_id: str, *, limit: int = 10, after: str | None = None, newest_first: bool = False
    ) -> EventPage:
        """A page of exactly those events that `events_matched` counts, as far as they are still stored.

        They are found by deciding the signal again from its matches. Raises `SignalNotFound`, or `BadRequest` for a
        limit or cursor that does not fit.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise BadRequest(f"page.limit must be between 1 and {MAX_PAGE}")
        row = self._row(signal_id)
        refs = self._evidence(row)
        if newest_first:
            refs = refs[::-1]
        begin = 0
        if after is not None:
            ids = [ref.event_id for ref in refs]
            if after not in ids:
                raise BadRequest("page.cursor is not one that this API gave out: take it from meta.page.after as it is")
            begin = ids.index(after) + 1
        shown = refs[begin : begin + limit]
        source = self._source(orjson.loads(row["document"]))
        stored = source.events((ref.timestamp, ref.event_id) for ref in shown)
        more = begin + limit < len(refs)
        return EventPage(
            events=tuple(stored[ref.event_id] for ref in shown if ref.event_id in stored),
            total=len(refs),
            after=shown[-1].event_id if more else None,
        )

    def investigation_queries(self, signal_id: str) -> list[dict[str, Json]]:
        """Searches of logs that lead on from a signal (api.md §5): its own, each query's, and each entity's."""
        row = self._row(signal_id)
        related = orjson.loads(row["detail"])["relatedQuery"]
        custom = orjson.loads(row["document"])
        searches: list[tuple[str, str, dict[str, Json]]] = [("All related logs", related["query"], {})]
        if len(related["queries"]) > 1:
            searches += [(f"Logs of the query {name}", query, {}) for name, query in related["queries"].items()]
        for entity in custom["entities"]:
            field, _, value = entity.partition(":")
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            searches.append((f"Logs of {value}", f'{field}:"{quoted}"', {field: [value]}))
        return [
            {
                "id": f"{signal_id}-{number}",
                "type": "investigation_log_queries",
                "attributes": {
                    "name": name,
                    "query_filter": query,
                    "template_variables": variables,
                    "url": "/logs?" + urlencode({"query": query, "from": related["from"], "to": related["to"]}),
                },
            }
            for number, (name, query, variables) in enumerate(searches)
        ]

    def _row(self, signal_id: str) -> dict[str, Any]:
        row = self._rows.rows([signal_id]).get(signal_id)
        if row is None:
            raise SignalNotFound
        return row

    def _source(self, custom: Mapping[str, Json]) -> Matches:
        """Where a signal's events are: among the logs, or among the signals."""
        return self._members if "correlation" in custom and self._members is not None else self._matches

    def _evidence(self, row: Mapping[str, Any]) -> list[EventRef]:
        engine = orjson.loads(row["detail"])["engine"]
        custom = orjson.loads(row["document"])
        version = custom["workflow"]["rule"]["version"]
        rule = self._rules.rule_at(row["rule_id"], version)
        if rule is None:
            raise NotFound(f"The rule {row['rule_id']} of the signal is gone, and its events cannot be told without it")
        # The runs of a scheduled rule put its matches beside those of logs, whatever they look at.
        source = self._source(custom) if rule.schedule is None else self._matches
        found = taught(self._rules.rule_at, plan(rule))
        machine, pages = machine_of(source, found, tuple(engine["group"]), row["timestamp"], named=NO_LIMIT)
        for page in pages:
            machine.feed(match for match in page if match.timestamp <= engine["last_seen"])
            if page and page[-1].timestamp > engine["last_seen"]:
                break
        for decision in machine.decisions():
            if decision.opened_by == engine["opened_by"]:
                return list(decision.first_events)
        return []
