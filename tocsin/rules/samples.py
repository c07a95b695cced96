"""The tests that a rule file carries: events that must and must not match, and events over time with their signals.

```yaml
tests:
  samples:                                   # records by name, for the lists below
    failed: {ddsource: sshd, message: "Failed password for ${user=eve} from 203.0.113.9 port 40${n} ssh2"}
  match: [{query: 0, sample: failed}]        # or `event:` with the record itself
  no_match: [{query: 1, sample: failed}]
  timelines:
    - name: eleven failures, then the right password
      events:
        - {at: 0s, sample: failed, repeat: 11, every: 10s, each: {user: [root, admin]}}
        - {at: 5m, sample: failed, with: {message: "Accepted password for root from 203.0.113.9 port 4 ssh2"}}
      signals:
        - {at: 100s, severity: high, case: then success, group: {"@network.client.ip": 203.0.113.9}, events: 12}
```

Pure; what the words mean is told in docs/rules-as-code.md.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from tocsin.errors import BadRequest
from tocsin.query.values import time_of
from tocsin.rule import SEVERITIES

START = "2026-03-02T08:00:00Z"
"""When a timeline begins unless it says otherwise: a Monday, as people come to work."""

MAX_EVENTS = 20_000
"""Of one timeline, and signals that it may expect: a test is read by people."""

MAX_DURATION_MS = 3_660 * 86_400_000
"""Ten years: no rule remembers as long."""

YEARS = range(1970, 2201)
"""In which a timeline may begin."""

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+)(ms|[smhd])")
_PLACE = re.compile(r"\$\{(\w+)(?:=([^}]*))?\}")


class BadTest(BadRequest):
    """A test is written wrong: says where and how."""


@dataclass(frozen=True, slots=True)
class Single:
    """One record that the query at this position must match, or must not."""

    query: int
    record: Any
    must_match: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """Records that are made of one: `repeat` of them, `every` ms, the first `at` ms after the start.

    `each` gives values by name, which the records take in turn.
    """

    record: Any
    at: int
    repeat: int = 1
    every: int = 1_000
    each: Mapping[str, Sequence[Any]] = field(default_factory=dict, hash=False)

    def records(self) -> Iterator[tuple[int, Any]]:
        """Each with its time after the start."""
        for number in range(self.repeat):
            values = {name: several[number % len(several)] for name, several in self.each.items()}
            yield self.at + number * self.every, _filled(self.record, {"n": number + 1, **values})


@dataclass(frozen=True, slots=True)
class Expected:
    """A signal that must be raised, `count` of them; a member that is None is not compared.

    `at` and `last` are milliseconds after the start, `group` the values by group-by field.
    """

    count: int = 1
    severity: str | None = None
    case: str | None = None
    title: str | None = None
    group: Mapping[str, Any] | None = field(default=None, hash=False)
    at: int | None = None
    last: int | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """`start` in Unix milliseconds. `rules` run beside the tested one, and raise signals that it may read."""

    name: str
    start: int
    events: tuple[Planned, ...]
    signals: tuple[Expected, ...]
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTests:
    """`tables` are the reference tables that the rule filters by: the texts in each column."""

    singles: tuple[Single, ...] = ()
    timelines: tuple[Timeline, ...] = ()
    tables: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict, hash=False)

    def __bool__(self) -> bool:
        return bool(self.singles or self.timelines)

    def column(self, table: str, column: str) -> frozenset[str]:
        """A `ColumnOf`."""
        return self.tables.get(table, {}).get(column, frozenset())

    def as_api(self) -> dict[str, Any]:
        """The single events, as the API keeps them with a rule."""
        return {
            name: [{"query": one.query, "event": _object_of(one.record)} for one in self.singles if one.must_match is m]
            for name, m in (("match", True), ("no_match", False))
        }


def _object_of(record: Any) -> dict[str, Any]:
    return {"message": record} if isinstance(record, str) else record


NO_TESTS = RuleTests()


def read_tests(given: Any) -> RuleTests:
    """The member `tests` of a rule file. Raises `BadTest`."""
    if given is None:
        return NO_TESTS
    body = _object("tests", given, ("samples", "match", "no_match", "timelines", "tables"))
    samples = _object("tests.samples", body.get("samples") or {})
    singles = [
        _single(f"tests.{name}[{i}]", item, samples, must_match=must_match)
        for name, must_match in (("match", True), ("no_match", False))
        for i, item in enumerate(_list(f"tests.{name}", body.get(name)))
    ]
    timelines = [
        _timeline(f"tests.timelines[{i}]", item, samples)
        for i, item in enumerate(_list("tests.timelines", body.get("timelines")))
    ]
    tables = {
        name: {
            column: frozenset(map(str, _list(f"tests.tables.{name}.{column}", values)))
            for column, values in _object(f"tests.tables.{name}", columns).items()
        }
        for name, columns in _object("tests.tables", body.get("tables") or {}).items()
    }
    return RuleTests(tuple(singles), tuple(timelines), tables)


def duration(place: str, given: Any) -> int:
    """Milliseconds of `90s`, `1h30m`, `2d`; a number is seconds. Raises `BadTest`."""
    if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
        found = given * 1000
    else:
        text = given.replace(" ", "") if isinstance(given, str) else ""
        if not text or _DURATION.sub("", text):
            raise BadTest(f"{place}: {given!r} is no duration: write 90s, 5m, 1h30m or 2d")
        found = sum(int(amount) * _UNITS_MS[unit] for amount, unit in _DURATION.findall(text))
    _check_end(place, found)
    return int(found)


def _check_end(place: str, milliseconds: float) -> None:
    if milliseconds > MAX_DURATION_MS:
        raise BadTest(f"{place}: a test may last ten years at most")


def _single(place: str, given: Any, samples: Mapping[str, Any], *, must_match: bool) -> Single:
    body = _object(place, given, ("query", "event", "sample", "with"))
    query = 0 if body.get("query") is None else body["query"]
    if not isinstance(query, int) or isinstance(query, bool) or query < 0:
        raise BadTest(f"{place}.query must be the position of a query, from 0 on, not {query!r}")
    return Single(query, _filled(_record(place, body, samples), {"n": 1}), must_match)


def _timeline(place: str, given: Any, samples: Mapping[str, Any]) -> Timeline:
    body = _object(place, given, ("name", "start", "events", "signals", "rules"))
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise BadTest(f"{place}.name is missing: say what happens")
    if "signals" not in body:
        raise BadTest(f"{place}.signals is missing: list what must be raised, [] for nothing")
    start = body.get("start", START)
    moment = time_of(start.isoformat() if isinstance(start, datetime) else str(start))
    if moment is None:
        raise BadTest(f"{place}.start: {start!r} is no time: write it as {START}")
    if not _ms(YEARS.start) <= moment < _ms(YEARS.stop):
        raise BadTest(f"{place}.start must be in a year of {YEARS.start} to {YEARS.stop - 1}, not {start!r}")
    events: list[Planned] = []
    after = 0
    for i, item in enumerate(_list(f"{place}.events", body.get("events"))):
        planned = _planned(f"{place}.events[{i}]", item, samples, after)
        after = planned.at + planned.every * (planned.repeat - 1) + 1_000
        _check_end(f"{place}.events[{i}]", after)
        events.append(planned)
    if not events:
        raise BadTest(f"{place}.events: give at least one")
    if (total := sum(planned.repeat for planned in events)) > MAX_EVENTS:
        raise BadTest(f"{place}.events are {total:,} in all, {MAX_EVENTS:,} are allowed")
    signals = tuple(
        _expected(f"{place}.signals[{i}]", item) for i, item in enumerate(_list(f"{place}.signals", body["signals"]))
    )
    if (wanted := sum(expected.count for expected in signals)) > MAX_EVENTS:
        raise BadTest(f"{place}.signals are {wanted:,} in all, {MAX_EVENTS:,} are allowed")
    rules = tuple(map(str, _list(f"{place}.rules", body.get("rules"))))
    return Timeline(name, int(moment), tuple(events), signals, rules)


def _ms(year: int) -> float:
    return datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000


def _planned(place: str, given: Any, samples: Mapping[str, Any], after: int) -> Planned:
    body = _object(place, given, ("at", "event", "sample", "with", "repeat", "every", "each"))
    each = {
        name: _list(f"{place}.each.{name}", values)
        for name, values in _object(f"{place}.each", body.get("each") or {}).items()
    }
    if empty := [name for name, values in each.items() if not values]:
        raise BadTest(f"{place}.each.{empty[0]} has no value")
    repeat = body.get("repeat", max(map(len, each.values()), default=1))
    if not isinstance(repeat, int) or isinstance(repeat, bool) or repeat < 1:
        raise BadTest(f"{place}.repeat must be a number from 1 on, not {repeat!r}")
    at = duration(f"{place}.at", body["at"]) if "at" in body else after
    every = duration(f"{place}.every", body.get("every", 1))
    return Planned(_record(place, body, samples), at, repeat, every, each)


def _record(place: str, body: Mapping[str, Any], samples: Mapping[str, Any]) -> Any:
    """What an item says its record is, with its changes."""
    if ("event" in body) == ("sample" in body):
        raise BadTest(f"{place}: give either an event or the name of a sample")
    if "sample" in body:
        if body["sample"] not in samples:
            raise BadTest(f"{place}.sample: there is no sample {body['sample']!r}; there are {', '.join(samples)}")
        record = samples[body["sample"]]
    else:
        record = body["event"]
    if not isinstance(record, dict | str):
        raise BadTest(f"{place}: an event is an object or a line of text")
    changes = _object(f"{place}.with", body.get("with") or {})
    if changes:
        if isinstance(record, str):
            raise BadTest(f"{place}.with changes members of an object; this event is a line of text")
        record = copy.deepcopy(record)
        for path, value in changes.items():
            _change(record, path.split("."), value)
    try:
        # As a sender's: YAML knows dates, and integers without end.
        return orjson.loads(orjson.dumps(record))
    except TypeError as error:
        raise BadTest(f"{place}: the event cannot be written as JSON: {error}") from error


def _change(record: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a member below, or remove it if the value is null."""
    for name in path[:-1]:
        below = record.get(name)
        if not isinstance(below, dict):
            below = record[name] = {}
        record = below
    if value is None:
        record.pop(path[-1], None)
    else:
        record[path[-1]] = value


def _expected(place: str, given: Any) -> Expected:
    body = dict(_object(place, given, ("count", "severity", "case", "title", "group", "at", "last", "events")))
    if body.get("severity", "info") not in SEVERITIES:
        raise BadTest(f"{place}.severity: {body['severity']!r} is none of {', '.join(SEVERITIES)}")
    for name in ("at", "last"):
        if name in body:
            body[name] = duration(f"{place}.{name}", body[name])
    for name in ("count", "events"):
        if name in body and (not isinstance(body[name], int) or isinstance(body[name], bool) or body[name] < 1):
            raise BadTest(f"{place}.{name} must be a number from 1 on, not {body[name]!r}")
    if "group" in body:
        _object(f"{place}.group", body["group"])
    return Expected(**body)


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    """The record with each `${name}`, or `${name=default}`, replaced; a text that is nothing else takes the value as it
    is. What has neither a value nor a default stays."""
    if isinstance(node, dict):
        return {name: _filled(value, values) for name, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    if not isinstance(node, str) or "${" not in node:
        return node

    def value(found: re.Match[str]) -> Any:
        return values.get(found[1], found[0] if found[2] is None else found[2])

    whole = _PLACE.fullmatch(node)
    return value(whole) if whole else _PLACE.sub(lambda found: str(value(found)), node)


def _object(place: str, given: Any, members: Sequence[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadTest(f"{place} must be an object, not {given!r}"[:200])
    if members is not None and (unknown := [str(name) for name in given if name not in members]):
        raise BadTest(f"{place}.{unknown[0]} means nothing here; known are {', '.join(members)}")
    return given


def _list(place: str, given: Any) -> list[Any]:
    if given is None:
        return []
    if not isinstance(given, list):
        raise BadTest(f"{place} must be a list, not {given!r}"[:200])
    return given
