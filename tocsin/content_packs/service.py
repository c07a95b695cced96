"""Content packs: in what state each is, and switching them on and off (siem.md §1.16).

Nothing about a pack is kept but what people decided: its rules, pipelines, filters and logs are looked at when somebody
asks (decision 0174).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.content_packs import repository, states
from tocsin.content_packs.packs import Pack, PackNotFound, packs_of, takes
from tocsin.content_packs.repository import Decision
from tocsin.content_packs.states import Activation, Facts, Integration, Seen, Status
from tocsin.pipelines.service import Pipeline, PipelinesService
from tocsin.rule import Rule
from tocsin.rules.service import RulesService
from tocsin.security_filters.service import SecurityFilters
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

ASSET = "content_pack"
SIGNALS_MS = 7 * states.DAY_MS
NO_SAMPLES = "-sample:true"


@dataclass(frozen=True, slots=True)
class PackState:
    """A pack and what is there of it now.

    `logs` and `analysed` are of the last 72 hours, `signals` of the last seven days. Each number is what a search
    finds: `logs_query`, `signals_query`, and `rules_query` among the rules. `last_seen` is in Unix milliseconds.
    """

    pack: Pack
    activation: Activation
    status: Status
    seen: Seen
    integration: Integration
    last_seen: int | None
    logs: int
    analysed: int
    is_analysed: bool
    signals: int
    rules: int
    rules_enabled: int
    pipelines: tuple[Pipeline, ...]
    logs_query: str
    signals_query: str
    rules_query: str


class ContentPacks:
    """All packs. Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        events: EventStore,
        audit: AuditTrail,
        clock: Clock,
        packs: Sequence[Pack],
        *,
        rules: RulesService,
        pipelines: PipelinesService,
        filters: SecurityFilters,
        had_samples: Callable[[], bool],
    ) -> None:
        """`had_samples`: whether sample logs may be stored, which are no data of a pack."""
        self._state = state
        self._events = events
        self._audit = audit
        self._clock = clock
        self._packs = tuple(packs)
        self._rules = rules
        self._pipelines = pipelines
        self._filters = filters
        self._had_samples = had_samples

    def pack(self, pack_id: str) -> Pack:
        """Raises `PackNotFound`."""
        for pack in self._packs:
            if pack.id == pack_id:
                return pack
        raise PackNotFound(pack_id)

    # Reading

    def states(self) -> list[PackState]:
        """Every pack as it is now, by name."""
        now = self._clock()
        packs, marked = self._packs, f" {NO_SAMPLES}" if self._had_samples() else ""
        queries = [pack.query + marked for pack in packs]
        effective = self._filters.effective()
        recent = now - states.RECENT_MS
        logs = repository.recent_logs(self._events, queries, effective, recent, now + 1)
        unseen = [query for query, found in zip(queries, logs, strict=True) if found.last is None]
        earlier = dict(zip(unseen, repository.last_before(self._events, unseen, recent), strict=True))
        signals = repository.signal_counts(self._events, queries, now - SIGNALS_MS, now + 1)
        with self._state.reading() as session:
            decided = repository.decisions(session)
        rules, pipelines = self._rules_of(), self._pipelines.all()
        return [
            _state(
                pack,
                query,
                now,
                decided.get(pack.id),
                found if found.last is not None else repository.Logs(0, 0, earlier[query]),
                found.analysed > 0 if found.count else effective is None or takes(effective, pack),
                count,
                rules[pack.id],
                tuple(one for one in pipelines if one.is_read_only and takes(_filter_of(one), pack)),
            )
            for pack, query, found, count in zip(packs, queries, logs, signals, strict=True)
        ]

    # Changing

    def activate(self, pack_id: str, by: Actor) -> None:
        """Enable what deactivating the pack disabled, and see to it that rules may look at its logs; harmless when
        repeated. Rules that a person disabled stay so. Raises `PackNotFound`."""
        pack = self.pack(pack_id)
        effective = self._filters.effective()
        needs_filter = effective is not None and not takes(effective, pack)
        rules = self._rules_of()[pack_id]
        with self._state.transaction() as session:
            decided = repository.decisions(session)
            before = decided.get(pack_id)
            if before is not None and before.activation is Activation.ACTIVATED:
                return
            # A rule of two packs was disabled with the second of them, and is back with the first.
            switched_off = {rule: version for one in decided.values() for rule, version in one.switched_off.items()}
            untouched = [rule.id for rule in rules if self._is_as_left(rule, switched_off)]
            changed = self._rules.switch(session, untouched, True, by)
            filter_id = None
            if needs_filter:
                body = {"name": f"Content pack {pack.name}", "query": pack.query, "is_enabled": True}
                filter_id = self._filters.add(session, body, by).id
            made = Decision(Activation.ACTIVATED, self._clock(), {}, tuple(rule.id for rule in rules), filter_id)
            self._decide(session, pack, made, by, {"rules": sorted(changed), "security_filter": filter_id})
        self._poll()

    def deactivate(self, pack_id: str, by: Actor) -> None:
        """Disable the pack's rules, but for those that an active pack has too, and remove the security filter that
        activating it made; harmless when repeated. Raises `PackNotFound`."""
        pack = self.pack(pack_id)
        rules = self._rules_of()[pack_id]
        there = {one.id for one in self._filters.all()}
        with self._state.transaction() as session:
            decided = repository.decisions(session)
            before = decided.get(pack_id)
            if before is not None and before.activation is Activation.DEACTIVATED:
                return
            changed = self._rules.switch(session, self._only_of(rules, {pack_id, *_off(decided)}), False, by)
            filter_id = before.filter_id if before else None
            if filter_id in there:
                self._filters.remove(session, filter_id, by)
            made = Decision(Activation.DEACTIVATED, self._clock(), changed, tuple(rule.id for rule in rules), None)
            self._decide(session, pack, made, by, {"rules": sorted(changed), "security_filter": filter_id})
        self._poll()

    def settle(self) -> None:
        """Rules that a new version of Tocsin brings for a deactivated pack begin disabled. Harmless when repeated."""
        rules = self._rules_of()
        with self._state.transaction() as session:
            decided = repository.decisions(session)
            for pack_id in _off(decided) & rules.keys():
                before, known = decided[pack_id], rules[pack_id]
                new = [rule for rule in known if rule.id not in before.rules]
                if new:
                    changed = self._rules.switch(session, self._only_of(new, _off(decided)), False, SYSTEM)
                    off = {**before.switched_off, **changed}
                    made = replace(before, switched_off=off, rules=tuple(rule.id for rule in known))
                    repository.decide(session, pack_id, made)
        self._rules.poll()

    def _decide(
        self, session: Session, pack: Pack, decision: Decision, by: Actor, changed: Mapping[str, object]
    ) -> None:
        repository.decide(session, pack.id, decision)
        new = {"activation": decision.activation.value, **changed}
        self._audit.record(session, by, "modified", ASSET, pack.id, pack.name, None, new)

    def _poll(self) -> None:
        self._rules.poll()
        self._filters.poll()

    def _rules_of(self) -> dict[str, list[Rule]]:
        """The shipped rules of each pack, by id."""
        found: dict[str, list[Rule]] = {pack.id: [] for pack in self._packs}
        for rule in self._rules.all_rules():
            if rule.is_default and not rule.extra.get("isDeprecated"):
                for pack in packs_of(rule, self._packs):
                    found[pack.id].append(rule)
        return found

    def _only_of(self, rules: Iterable[Rule], pack_ids: Set[str]) -> list[str]:
        """The rules that belong to no other pack than these."""
        return [rule.id for rule in rules if all(pack.id in pack_ids for pack in packs_of(rule, self._packs))]

    def _is_as_left(self, rule: Rule, switched_off: Mapping[str, int]) -> bool:
        """Whether nobody enabled the rule since it was disabled with its pack: who disabled it again meant it."""
        if rule.is_enabled or rule.id not in switched_off:
            return False
        later = rule.version - switched_off[rule.id]
        _, versions = self._rules.history(rule.id, later) if later else (0, [])
        return not any(version.body["isEnabled"] for version in versions)


def _state(
    pack: Pack,
    query: str,
    now: int,
    decision: Decision | None,
    logs: repository.Logs,
    is_analysed: bool,
    signals: int,
    rules: Sequence[Rule],
    pipelines: tuple[Pipeline, ...],
) -> PackState:
    facts = Facts(
        now=now,
        decision=decision.activation if decision else None,
        decided_at=decision.at if decision else 0,
        last_seen=logs.last,
        rules_enabled=sum(rule.is_enabled for rule in rules),
        is_analysed=is_analysed,
        are_pipelines_on=all(one.is_enabled for one in pipelines),
    )
    return PackState(
        pack=pack,
        activation=states.activation(facts),
        status=states.status(facts),
        seen=states.seen(logs.last, now),
        integration=states.integration(facts),
        last_seen=logs.last,
        logs=logs.count,
        analysed=logs.analysed,
        is_analysed=is_analysed,
        signals=signals,
        rules=len(rules),
        rules_enabled=facts.rules_enabled,
        pipelines=pipelines,
        logs_query=query,
        signals_query=query,
        rules_query=f"origin:default deprecated:false {pack.query}",
    )


def _off(decided: Mapping[str, Decision]) -> set[str]:
    return {pack_id for pack_id, one in decided.items() if one.activation is Activation.DEACTIVATED}


def _filter_of(pipeline: Pipeline) -> str:
    return str((pipeline.body.get("filter") or {}).get("query", "") or "*")
