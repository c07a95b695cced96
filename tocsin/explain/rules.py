"""Why a rule did not fire for an entity at some time, or that it did (design §9.5).

The question is followed along the way that an event takes: was the rule there, did the entity have events, did a query
find them, were they grouped, excluded, late, noted, and what did the rule's own method lack at its best moment. Each
step says what it found; the first that failed is the answer. What is stored is matched anew (`evaluate/replay.py`), by
the version of the rule that was in force then: what is told is what the same engine concludes from it now. To a rule
over signals, signals are what logs are to others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tocsin.clock import Clock
from tocsin.errors import BadRequest
from tocsin.evaluate.correlation import reads_signals
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.nearest import Nearest, nearest
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Failure
from tocsin.event import Event, Json
from tocsin.explain.repository import EntityEvents, QueryCounts
from tocsin.explain.words import moment, number, several
from tocsin.match.conditions import uncalculated
from tocsin.match.log4shell import recognises
from tocsin.query import LOGS, Node, field_values, parse, parse_field, print_query
from tocsin.query.track import SIGNALS
from tocsin.query.tree import All, And, Exists, conjunction, disjunction, leaves
from tocsin.query.values import text_of
from tocsin.rule import MISSING_GROUP_VALUE, Rule, RuleQuery, Schedule
from tocsin.rules.executable import analysing, excluding
from tocsin.rules.service import RulesService
from tocsin.signals.identity import scope_key
from tocsin.signals.repository import SignalRows
from tocsin.signals.resource import iso
from tocsin.signals.suppression import Suppression, Suppressions

RULE_PATH = "@workflow.rule.id"
"""Of a signal: the rule that raised it."""

MAX_SPAN_MS = 7 * 86_400_000
"""Of one question; the best moment of a month says nothing that anybody could use."""

AROUND_MS = 900_000
"""Who asks about a moment is answered about so long before and after it, or a window of the rule if that is longer."""

MAX_FIELDS = 5
MAX_GROUPS = 5
MAX_ROWS = 500_000
NEAREST_EVENTS = 3
SECONDS = 15.0
MAX_VALUES = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way. `status` is passed, failed, or skipped (nothing could be said)."""

    name: str
    status: str
    message: str
    data: Mapping[str, Json]

    @property
    def is_failed(self) -> bool:
        return self.status == "failed"


@dataclass(frozen=True, slots=True)
class Question:
    """Why (not) this rule for this entity: fields as a rule groups by them, with their values; `[start, end)` in Unix
    milliseconds."""

    rule_id: str
    entity: Mapping[str, str]
    start: int
    end: int


class RuleExplanations:
    """Reads only. Safe to use from many threads."""

    def __init__(
        self,
        rules: RulesService,
        logs: EntityEvents,
        signals: EntityEvents,
        suppressed: EntityEvents,
        replay: Replay,
        shown: SignalRows,
        hidden: SignalRows,
        suppressions: Callable[[], Suppressions],
        failures: Callable[[], Sequence[Failure]],
        analysed: Callable[[], str | None],
        clock: Clock,
        analysed_until: Callable[[str], int | None] = lambda _rule_id: None,
    ) -> None:
        """`analysed` is the query of the logs that security filters let rules see, None for all. `analysed_until`: the
        runs of a scheduled rule have looked at logs up to there (Unix milliseconds)."""
        self._rules = rules
        self._logs = logs
        self._signals = signals
        self._suppressed = suppressed
        self._replay = replay
        self._shown = shown
        self._hidden = hidden
        self._suppressions = suppressions
        self._failures = failures
        self._analysed = analysed
        self._analysed_until = analysed_until
        self._clock = clock

    def around(self, rule_id: str, at: int) -> tuple[int, int]:
        """The span that answers about a moment (Unix milliseconds). Raises `NotFound`."""
        reach = max(self._rules.get(rule_id).window_ms, AROUND_MS)
        return at - reach, at + reach + 1

    def explain(self, question: Question) -> dict[str, Json]:
        """The attributes of the answer. Raises `NotFound`, `BadRequest`, `QueryError`, `LimitExceeded`."""
        _check(question)
        present = self._rules.get(question.rule_id)
        step, rule = self._version(present, question)
        steps = [step]
        prepared = plan(rule)
        entity = _entity_node(question.entity)
        exclusions, analysed = self._exclusions(rule, question), self._analysed()
        counts = self._counts(rule, entity, question, exclusions, analysed)
        steps += self._event_steps(rule, entity, question, counts, exclusions)
        seen = analysing(excluding(rule, [each.data_exclusion_query for each in exclusions]), analysed)
        budget = Budget(SECONDS)
        groups = self._groups(seen, prepared, question, budget)
        signals = self._raised(rule, groups, question)
        if not groups:  # there was nothing that could have been noted
            steps = [one for one in steps if one.name != "match"]
        best: Nearest | None = None
        if groups:
            best = self._best(seen, prepared, groups, question, budget)
            steps.append(_condition_step(prepared, best))
        elif not any(one.is_failed for one in steps):
            steps.append(_table_step(rule))
        steps += self._failure_steps(rule)
        steps.append(_signal_step(signals, best, question, self._clock()))
        return _answer(question, present, rule, steps, signals, best, groups)

    # The steps

    def _version(self, present: Rule, question: Question) -> tuple[Step, Rule]:
        """The rule as it was at the end of the span, and whether it was enabled then."""
        _, versions = self._rules.history(present.id, size=1_000)
        then = [version for version in versions if version.at < question.end]
        if not then:
            born = min(version.at for version in versions)
            rule = self._rules.rule_at(present.id, present.version) or present
            message = f"The rule did not exist yet: it was created at {moment(born)}"
            return Step("rule", "failed", message, {"created_at": iso(born), "version": rule.version}), rule
        found = max(then, key=lambda version: version.version)
        rule = self._rules.rule_at(present.id, found.version) or present
        data = {"version": found.version, "since": iso(found.at), "current_version": present.version}
        if not rule.is_enabled:
            return Step("rule", "failed", f"The rule was disabled (version {found.version})", data), rule
        changed = "" if found.at < question.start else f", which was saved within this time, at {moment(found.at)}"
        return Step("rule", "passed", f"The rule was enabled, at version {found.version}{changed}", data), rule

    def _exclusions(self, rule: Rule, question: Question) -> tuple[Suppression, ...]:
        """What was kept from the rule at the beginning, the end, or the middle of the span."""
        present, now = self._suppressions(), self._clock()
        middle = (question.start + question.end) // 2
        moments = {min(at, now) for at in (question.start, middle, question.end - 1)}
        found = {each.data_exclusion_query: each for at in moments for each in present.excluding_for(rule, at)}
        return tuple(found.values())

    def _counts(
        self,
        rule: Rule,
        entity: Node,
        question: Question,
        exclusions: Sequence[Suppression],
        analysed: str | None,
    ) -> list[QueryCounts]:
        excluded = disjunction([parse(each.data_exclusion_query) for each in exclusions]) if exclusions else None
        return [
            self._read_by(query).counts(
                entity,
                question.start - rule.window_ms,
                question.end,
                rule.id,
                asked.whole,
                asked.searched,
                [Exists(parse_field(field)) for field in _required(query)],
                excluded,
                None if analysed is None or query.reads_signals else parse(analysed),
            )
            for query, asked in ((query, _asked(query)) for query in rule.queries)
        ]

    def _read_by(self, query: RuleQuery) -> EntityEvents:
        return self._signals if query.reads_signals else self._logs

    def _hidden_step(self, rule: Rule, entity: Node, question: Question, found: int) -> Step | None:
        """Signals that a query would find, were they not hidden by suppressions (siem.md §2.20)."""
        since, hidden = question.start - rule.window_ms, 0
        for query in rule.queries:
            if query.reads_signals:
                whole = _asked(query).whole
                count = self._suppressed.counts(entity, since, question.end, rule.id, whole, [], [], None, None)
                hidden = max(hidden, count.found)
        if not hidden:
            return None
        end = "it: it does not count" if hidden == 1 else "them: they do not count"
        message = f"{several(hidden, 'more signal' if found else 'signal')} would be found, but suppressions hide {end}"
        return Step("suppression", "passed" if found else "failed", message, {"hidden": hidden})

    def _event_steps(
        self,
        rule: Rule,
        entity: Node,
        question: Question,
        counts: Sequence[QueryCounts],
        exclusions: Sequence[Suppression],
    ) -> list[Step]:
        found = sum(count.found for count in counts)
        hidden = self._hidden_step(rule, entity, question, found) if reads_signals(rule) else None
        steps = [_entity_step(rule, question, counts)]
        if steps[0].is_failed:
            return [hidden, *steps] if hidden else steps
        if hidden:
            steps.append(hidden)
        for query, count in zip(rule.queries, counts, strict=True):
            step = self._query_step(rule, query, entity, question, count)
            # One of several queries may find nothing, and the rule fires all the same.
            steps.append(step if found else replace(step, status="failed"))
        if found:
            steps += _grouping_steps(rule, counts)
            steps += _exclusion_steps(found, sum(count.excluded for count in counts), exclusions)
            if unanalysed := sum(count.unanalysed for count in counts):
                steps.append(_filter_step(found, unanalysed))
            if rule.schedule is not None:
                steps.append(_run_step(rule.schedule, self._analysed_until(rule.id), question))
            else:
                if not all(query.reads_signals for query in rule.queries):
                    steps.append(_late_step(found, sum(count.late for count in counts)))
                steps.append(_recorded_step(found, sum(count.recorded for count in counts)))
        return steps

    def _query_step(self, rule: Rule, query: RuleQuery, entity: Node, question: Question, count: QueryCounts) -> Step:
        asked = _asked(query)
        terms = asked.terms
        told = zip(terms, asked.searched, count.terms, strict=True)
        data: dict[str, Json] = {
            "query": query.label,
            "track": (SIGNALS if query.reads_signals else LOGS).name,
            "text": print_query(asked.whole),
            "found": count.found,
            "terms": [{"term": print_query(term), "events": held} for term, searched, held in told if searched == term],
        }
        if count.found:
            message = f"Query {query.label} finds {number(count.found)} of them"
            later = [term for term, searched in zip(terms, asked.searched, strict=True) if searched != term]
            if later:
                message += f", leaving out what a search cannot tell: {' and '.join(map(print_query, later))}"
            return Step("query", "passed", message, data)
        near = self._read_by(query).nearest(
            entity, question.start - rule.window_ms, question.end, asked.whole, asked.searched, NEAREST_EVENTS
        )
        data["nearest"] = [near_event(event, terms, held) for event, held in near]
        message = f"Query {query.label} finds none of them"
        if near:
            event, held = near[0]
            failed = [term for term, holds in zip(terms, held, strict=True) if not holds]
            excluded = " and ".join(f"'{print_query(term)}'" for term in failed)
            values = [f"{field} is {value}" for term in failed for field, value in values_of(event, term).items()]
            message += f": the nearest, at {moment(event.timestamp)}, is excluded by {excluded}"
            message += f" ({'; '.join(values)})" if values else ""
        return Step("query", "passed", message, data)

    def _failure_steps(self, rule: Rule) -> list[Step]:
        mine = [one for one in self._failures() if (one.rule_id, one.rule_version) == (rule.id, rule.version)]
        return [
            Step(
                "evaluation",
                "failed",
                f"The evaluation of this rule has failed, last at {moment(one.last_at)}: {one.message}",
                {"message": one.message, "matches": one.matches, "last_at": iso(one.last_at)},
            )
            for one in mine
        ]

    # Matching anew

    def _groups(self, rule: Rule, prepared: Plan, question: Question, budget: Budget) -> list[tuple[str, ...]]:
        """The signal groups that the entity's events fall into, those with most events first."""
        narrowed = _narrowed(rule, [_term(field, value) for field, value in question.entity.items()])
        sizes: dict[tuple[str, ...], int] = {}
        for page in self._replay.matches(narrowed, question.start - rule.window_ms, question.end, budget):
            for row in page:
                group = prepared.signal_group(row.group)
                sizes[group] = sizes.get(group, 0) + 1
        return sorted(sizes, key=lambda group: (-sizes[group], group))[:MAX_GROUPS]

    def _best(
        self, rule: Rule, prepared: Plan, groups: Sequence[tuple[str, ...]], question: Question, budget: Budget
    ) -> Nearest | None:
        found = []
        for group in groups:
            rows: list[MatchRow] = []
            narrowed = _of_group(rule, prepared, group)
            start = question.start - prepared.lookback_ms
            for page in self._replay.matches(narrowed, start, question.end, budget):
                rows += [row for row in page if prepared.signal_group(row.group) == group]
                if len(rows) > MAX_ROWS:
                    raise BadRequest(
                        f"the group {list(group)} has more than {MAX_ROWS:,} matches to look back on: "
                        "ask about a shorter time"
                    )
            if (one := nearest(prepared, rows, question.start, question.end)) is not None:
                found.append(one)
        return min(found, key=lambda one: one.distance, default=None)

    def _raised(self, rule: Rule, groups: Sequence[tuple[str, ...]], question: Question) -> list[dict[str, Json]]:
        """The stored signals of these groups that were window-open within the span, hidden ones too."""
        scopes = [scope_key(rule.id, rule.version, group) for group in groups]
        since = question.start - rule.max_signal_duration_ms - 1
        signals = []
        for rows, state in ((self._shown, "shown"), (self._hidden, "hidden")):
            for found in rows.stored([rule.id], scopes, since).values() if scopes else ():
                for signal in found:
                    if signal.timestamp < question.end and signal.closes_at > question.start:
                        signals.append({"id": signal.id, "timestamp": iso(signal.timestamp), "state": state})
        return sorted(signals, key=lambda signal: (signal["state"] != "shown", signal["timestamp"]))


def _check(question: Question) -> None:
    if not 1 <= len(question.entity) <= MAX_FIELDS:
        raise BadRequest(f"entity needs 1 to {MAX_FIELDS} fields with their values, as in {{'@usr.id': 'bob'}}")
    if question.end <= question.start:
        raise BadRequest("'from' is not before 'to'")
    if question.end - question.start > MAX_SPAN_MS:
        raise BadRequest("a question is about 7 days at most: ask about a shorter time")


def terms_of(query: RuleQuery) -> list[Node]:
    """What the query joins by AND; a query of one term is that."""
    node = parse(query.full_query)
    return list(node.parts) if isinstance(node, And) else [node]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a query asks. `terms` are its parts, the rule whose signals it reads first, if it names one; `searched` is
    each as far as a search can tell, which knows no calculated fields."""

    terms: tuple[Node, ...]
    searched: tuple[Node, ...]

    @property
    def whole(self) -> Node:
        return conjunction([term for term in self.searched if term != All()])


def _asked(query: RuleQuery) -> _Asked:
    terms = terms_of(query)
    if query.correlated_rule is not None:
        own = parse(_term(RULE_PATH, query.correlated_rule))
        terms = [own, *(term for term in terms if term not in (own, All()))]
    return _Asked(tuple(terms), tuple(uncalculated(term) for term in terms))


def _required(query: RuleQuery) -> tuple[str, ...]:
    """The group-by fields without which an event is ignored (siem.md §2.5)."""
    return () if query.has_optional_group_by_fields else query.group_by_fields


def _term(field: str, value: str) -> str:
    if value == MISSING_GROUP_VALUE:
        return f"-{field}:*"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}:"{quoted}"'


def _entity_node(entity: Mapping[str, str]) -> Node:
    for field in entity:
        parse_field(field)
    return conjunction([parse(_term(field, value)) for field, value in entity.items()])


def _narrowed(rule: Rule, terms: Sequence[str]) -> Rule:
    return replace(rule, queries=tuple(_narrowed_query(query, terms) for query in rule.queries))


def _narrowed_query(query: RuleQuery, terms: Sequence[str]) -> RuleQuery:
    own = [f"({query.custom_query_extension})"] if query.custom_query_extension.strip() else []
    return replace(query, custom_query_extension=" AND ".join([*own, *terms]))


def _of_group(rule: Rule, prepared: Plan, group: tuple[str, ...]) -> Rule:
    """The rule, reading only events of a signal group; which of them are the group's is told by their matches."""
    queries = []
    for query in rule.queries:
        fields = query.group_by_fields
        if prepared.kept is not None:
            fields = tuple(fields[position] for position in prepared.kept if position < len(fields))
        terms = [_term(field, value) for field, value in zip(fields, group, strict=False)]
        queries.append(_narrowed_query(query, terms) if terms else query)
    return replace(rule, queries=tuple(queries))


def near_event(event: Event, terms: Sequence[Node], held: Sequence[bool]) -> dict[str, Json]:
    failed = [term for term, holds in zip(terms, held, strict=True) if not holds]
    return {
        "event_id": event.id,
        "timestamp": iso(event.timestamp),
        "held": sum(held),
        "excluded_by": [{"term": print_query(term), "values": values_of(event, term)} for term in failed],
    }


def values_of(event: Event, term: Node) -> dict[str, str]:
    """What the event has at the fields of a term; `nothing` where there is no such field."""
    values = {}
    for leaf in leaves(term):
        field = getattr(leaf, "field", None)
        if field is None or not field.name:
            continue
        found = [text_of(value) for value in field_values(event, field)][:MAX_VALUES]
        values[_field_text(leaf)] = ", ".join(found) if found else "nothing"
    return values


def _field_text(leaf: Any) -> str:
    return print_query(Exists(leaf.field)).removesuffix(":*")


def _entity_step(rule: Rule, question: Question, counts: Sequence[QueryCounts]) -> Step:
    """What there is of the entity, of each kind that the rule reads."""
    of_kind: dict[str, int] = {}
    for query, count in zip(rule.queries, counts, strict=True):
        kind = "signal" if query.reads_signals else "log"
        of_kind[kind] = max(of_kind.get(kind, 0), count.events)
    whose = ", ".join(f"{field} {value}" for field, value in question.entity.items())
    events = sum(of_kind.values())
    if not events:
        message = f"There is no {' and no '.join(of_kind)} of {whose} in this time, nor in the window before it"
        return Step("events", "failed", message, {"events": 0})
    there = " and ".join(several(count, kind) for kind, count in of_kind.items())
    there = f"There {'is' if there.startswith('1 ') else 'are'} {there}"
    return Step("events", "passed", f"{there} of {whose}", {"events": events})


def _grouping_steps(rule: Rule, counts: Sequence[QueryCounts]) -> list[Step]:
    steps = []
    for query, count in zip(rule.queries, counts, strict=True):
        lost = count.found - count.grouped
        if not lost:
            continue
        missing = {
            field: count.found - there
            for field, there in zip(_required(query), count.fields, strict=True)
            if there < count.found
        }
        told = ", ".join(f"{field} is missing in {number(n)}" for field, n in missing.items())
        message = (
            f"{number(lost)} of the {several(count.found, 'event')} of query {query.label} lack a group-by field and "
            f"are ignored: {told}"
        )
        status = "failed" if not sum(count.grouped for count in counts) else "passed"
        steps.append(Step("grouping", status, message, {"query": query.label, "lost": lost, "missing": missing}))
    return steps


def _exclusion_steps(found: int, excluded: int, exclusions: Sequence[Suppression]) -> list[Step]:
    if not exclusions:
        return []
    names = ", ".join(f"'{each.name}'" for each in exclusions)
    message = f"{number(excluded)} of the {several(found, 'event')} are kept from the rule by the suppression {names}"
    data = {"excluded": excluded, "suppressions": [{"id": each.id, "name": each.name} for each in exclusions]}
    return [Step("exclusion", "failed" if excluded == found else "passed", message, data)]


def _filter_step(found: int, unanalysed: int) -> Step:
    message = f"{number(unanalysed)} of the {several(found, 'event')} are kept away by the security filters of now"
    return Step("filter", "failed" if unanalysed == found else "passed", message, {"unanalysed": unanalysed})


def _table_step(rule: Rule) -> Step:
    """Events are found, but none makes a match: what the queries do not say is left."""
    if recognises(rule):
        return Step("recognised", "failed", "None of them holds a lookup by JNDI, however it were disguised", {})
    if rule.calculated_fields:
        names = ", ".join(f"#{field.name}" for field in rule.calculated_fields)
        message = f"None of them meets what the queries ask of the calculated fields {names}"
        return Step("calculated", "failed", message, {"fields": [field.name for field in rule.calculated_fields]})
    if reads_signals(rule):
        message = "None of them makes a match: what a rule over signals raises is read only by queries that name it"
        return Step("match", "failed", message, {})
    tables = sorted({str(entry.get("tableName", "")) for entry in rule.extra.get("referenceTables") or ()})
    if not tables:
        return Step("table", "skipped", "None of them makes a match, taken all conditions together", {})
    names = ", ".join(f"'{name}'" for name in tables)
    return Step("table", "failed", f"The filter on the reference table {names} leaves none of them", {"tables": tables})


def _late_step(found: int, late: int) -> Step:
    if not late:
        return Step("arrival", "passed", "None of them came too late for detection", {"late": 0})
    message = f"{number(late)} of the {several(found, 'event')} came more than 24 hours late and were not evaluated"
    return Step("arrival", "failed" if late == found else "passed", message, {"late": late})


def _recorded_step(found: int, recorded: int) -> Step:
    data = {"found": found, "recorded": recorded}
    if recorded:
        message = f"{number(recorded)} of the {several(found, 'event')} were noted as matches when they came in"
        return Step("match", "passed", message, data)
    message = (
        "None of them was noted as a match when it came in: the rule was not enabled then, was changed since, or did "
        "not see these logs"
    )
    return Step("match", "failed", message, data)


def _run_step(schedule: Schedule, until: int | None, question: Question) -> Step:
    """A scheduled rule notes matches when it runs, late logs too."""
    data: dict[str, Json] = {"rrule": schedule.rrule, "analysed_until": None if until is None else iso(until)}
    if until is None:
        return Step("match", "failed", "The rule runs by a schedule, and is switched off", data)
    if until < question.start:
        message = (
            f"The rule runs by {schedule.rrule}: no run has looked at this time yet, but only up to {moment(until)}"
        )
        return Step("match", "failed", message, data)
    whole = until >= question.end - 1
    message = "Runs of the rule have looked at " + ("this time" if whole else f"this time up to {moment(until)}")
    return Step("match", "passed", message, data)


def _condition_step(prepared: Plan, best: Nearest | None) -> Step:
    method = prepared.rule.options.detection_method
    if best is None:
        message = f"How near the rule came cannot be told for the method '{method}', or no match lies in this time"
        return Step("condition", "skipped", message, {})
    data = nearest_json(prepared, best)
    if best.distance == 0:
        return Step("condition", "passed", f"It held at {moment(best.at)}: {told(prepared, best)}", data)
    return Step("condition", "failed", f"At its best moment, {moment(best.at)}: {told(prepared, best)}", data)


def nearest_json(prepared: Plan, best: Nearest) -> dict[str, Json]:
    """A moment as the API tells it."""
    case = prepared.rule.cases[best.case_index]
    return {
        "at": iso(best.at),
        "event_id": best.event_id,
        "group": list(best.group),
        "reason": best.reason,
        "case": {"index": best.case_index, "name": case.name, "status": case.severity, "condition": case.condition},
        "window_seconds": prepared.rule.options.evaluation_window,
        "window_events": best.window_events,
        "checks": [asdict(check) for check in best.checks],
        "facts": {
            name: iso(value) if name in TIMES and isinstance(value, int) else value
            for name, value in (best.facts or {}).items()
        },
    }


TIMES = ("learning_until", "known_since", "last_seen", "forgotten_at")
"""Facts that are moments."""


def told(prepared: Plan, best: Nearest) -> str:
    facts = best.facts or {}
    if best.reason == "learning":
        return f"the rule was still learning, until {moment(facts['learning_until'])}"
    if best.reason == "known_value":
        seen = moment(facts["last_seen"])
        return (
            f"the value '{facts['value']}' was known (last seen {seen}, forgotten at {moment(facts['forgotten_at'])})"
        )
    if best.reason == "new":
        return "the value was new"
    if best.reason == "alert":
        return "an alert came in"
    if best.reason == "next_step":
        step, following, within = facts["step"], facts["next_step"], facts["within_seconds"]
        return f"step '{step}' was complete, and step '{following}' did not complete within {within} s after it"
    kinds = {query.label: query.aggregation for query in prepared.rule.queries}
    said = []
    for check in best.checks:
        value = "nothing" if check.value is None else number(check.value)
        what = f"{kinds[check.name]} of {check.name}" if check.name in kinds else check.name
        lacks = "" if check.holds or not check.missing else f" (lacks {number(check.missing)})"
        said.append(f"{what} was {value} of {check.operator} {number(check.wanted)}{lacks}")
    if best.reason == "expected":
        said.append("which the baseline of its usual places explains")
    if "step" in facts:
        said.insert(0, f"in step '{facts['step']}' ({facts['number']} of {facts['steps']})")
    window = prepared.rule.options.evaluation_window
    where = f" in the {window} s window ending then" if window and best.window_events is not None else ""
    return f"{', '.join(said)}{where}" if said else "the condition was not met"


def _signal_step(signals: Sequence[Mapping[str, Json]], best: Nearest | None, question: Question, now: int) -> Step:
    data = {"signals": list(signals)}
    if signals and signals[0]["state"] == "shown":
        return Step("signal", "passed", f"There is a signal: {signals[0]['id']}", data)
    if signals:
        message = f"The signal {signals[0]['id']} is hidden by a suppression"
        return Step("suppression", "failed", message, data)
    if best is not None and best.distance == 0:
        message = "The condition holds on what is stored now, but there is no signal of it"
        message += ": evaluation may not have come so far" if question.end > now - AROUND_MS else ""
        return Step("signal", "failed", message, data)
    return Step("signal", "failed", "There is no signal of this rule for this entity in this time", data)


def _answer(
    question: Question,
    present: Rule,
    rule: Rule,
    steps: Sequence[Step],
    signals: Sequence[Mapping[str, Json]],
    best: Nearest | None,
    groups: Sequence[tuple[str, ...]],
) -> dict[str, Json]:
    shown = [signal for signal in signals if signal["state"] == "shown"]
    hidden = [signal for signal in signals if signal["state"] == "hidden"]
    outcome = "fired" if shown else "hidden" if hidden else "not_fired"
    failed = [step for step in steps if step.is_failed]
    decisive = failed[0] if outcome == "not_fired" and failed else steps[-1]
    return {
        "outcome": outcome,
        "answer": f"{decisive.message}.",
        "because": decisive.name,
        "rule": {
            "id": present.id,
            "name": present.custom_name or present.name,
            "version": rule.version,
            "current_version": present.version,
            "detection_method": rule.options.detection_method,
        },
        "entity": dict(question.entity),
        "from": iso(question.start),
        "to": iso(question.end),
        "groups": [list(group) for group in groups],
        "steps": [asdict(step) for step in steps],
        "best_moment": None if best is None else nearest_json(plan(rule), best),
        "signals": list(signals),
    }
