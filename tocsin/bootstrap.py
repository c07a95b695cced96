"""Wires everything: from settings to the services of one process. The one module that knows all packages."""

import contextlib
import dataclasses
import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import orjson
import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

import tocsin
from tocsin.access.audit import AuditTrail
from tocsin.access.restrictions import RULE, SUPPRESSION
from tocsin.access.secrets import new_uuid
from tocsin.access.service import Access
from tocsin.access.vault import Vault
from tocsin.clock import Clock, now_ms
from tocsin.config import Config, load_config
from tocsin.content_packs.packs import read_packs
from tocsin.content_packs.samples import SampleLogs
from tocsin.content_packs.service import ContentPacks
from tocsin.critical_assets.service import CriticalAssetsService
from tocsin.enrich.geo import Places
from tocsin.evaluate.correlation import reads_signals
from tocsin.evaluate.evaluator import Evaluator, EvaluatorMetrics
from tocsin.evaluate.feed import Feed
from tocsin.evaluate.instant import InstantBaselines
from tocsin.evaluate.latest import Latest
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.mixed import MixedFeed, Owners
from tocsin.evaluate.mixed_repository import MixedMatches
from tocsin.evaluate.replay import Replay
from tocsin.evaluate.repository import BUCKET_MS, Matches, Progress
from tocsin.evaluate.signal_feed import SignalFeed
from tocsin.event import Event, RawRecord
from tocsin.explain.leads import Leads
from tocsin.explain.repository import EntityEvents
from tocsin.explain.rules import RuleExplanations
from tocsin.explain.signals import SignalExplanations
from tocsin.explore.service import ExploreService
from tocsin.intake.metrics import IntakeMetrics
from tocsin.intake.processors import NICENESS, InChild, InThread, Processor
from tocsin.intake.rejected import RejectedEvents
from tocsin.intake.service import Intake
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.pipelines import PipelineText
from tocsin.outbound import Outbound
from tocsin.pipeline import Recipe, Tools, enrich, lookups_of, normalise, passed
from tocsin.pipelines.service import PipelinesService
from tocsin.pipelines.shipped import read_shipped as read_shipped_pipelines
from tocsin.query.track import HISTORICAL, SIGNALS, SUPPRESSED
from tocsin.reference_tables.service import ReferenceTables
from tocsin.reference_tables.usage import tables_named, uses
from tocsin.renewal import Renewal
from tocsin.rule import Rule
from tocsin.rules.attack_map import AttackMaps
from tocsin.rules.backtest import Backtests
from tocsin.rules.coverage import CoverageService
from tocsin.rules.executable import analysing, excluding
from tocsin.rules.ids import new_rule_id
from tocsin.rules.jobs.repository import JobResults
from tocsin.rules.jobs.runner import JobRunner
from tocsin.rules.jobs.service import JobsService
from tocsin.rules.scheduled.runner import ScheduledRunner
from tocsin.rules.scheduled.service import ScheduledRuns
from tocsin.rules.service import RulesService
from tocsin.rules.shipped import read_shipped
from tocsin.security_filters.service import SecurityFilters
from tocsin.signals.engine import SignalEngine
from tocsin.signals.gauges import StateGauges
from tocsin.signals.ledger import Ledger
from tocsin.signals.ledger_repository import LedgerRows
from tocsin.signals.matching import SignalMatching
from tocsin.signals.repository import SignalRows
from tocsin.signals.service import SignalsService
from tocsin.signals.stored import StoredSignals
from tocsin.signals.suppression import selects
from tocsin.signals.writer import SignalMetrics, SignalWriter
from tocsin.store.events import EventStore, open_event_store
from tocsin.store.leases import Leases
from tocsin.store.outbox import Outbox
from tocsin.store.rows import encode_event
from tocsin.store.state import StateStore, open_state_store
from tocsin.suppressions.exclusions import Exclusions
from tocsin.suppressions.preview import Previews
from tocsin.suppressions.service import SuppressionsService
from tocsin.threat_intel.explorer import IndicatorExplorer
from tocsin.threat_intel.fetching import Fetcher
from tocsin.threat_intel.hunts import Hunter
from tocsin.threat_intel.service import FeedsService
from tocsin.triage import history
from tocsin.triage.people import assignable
from tocsin.triage.service import TriageService

DAY_MS = 86_400_000

HUNT_DAYS = 30
"""That a new indicator is looked for in stored logs (siem.md §6.4)."""

EVERY_RULE = 1_000_000
"""The size of a page that holds all rules."""

log = structlog.get_logger(__name__)


def content_directory() -> Path:
    """Shipped rules and pipelines: inside the wheel, or beside the package in a checkout."""
    package = Path(tocsin.__file__).parent
    inside = package / "content"
    return inside if inside.is_dir() else package.parent / "content"


def place_databases(config: Config) -> tuple[Path, ...]:
    """The place databases in order of preference: your own city and AS, then the country."""
    shipped = Path(tocsin.__file__).parent / "data" / "geo-whois-asn-country.mmdb"
    own = (config.geoip_city, config.geoip_asn)
    return (*(path for path in own if path is not None), config.geoip_country or shipped)


def recipe(
    config: Config,
    rules: Sequence[Rule],
    texts: tuple[PipelineText, ...] | None = None,
    indicators: Path | None = None,
) -> Recipe:
    """What an intake worker builds its pipeline from; `texts` are the pipelines, None for the shipped ones."""
    directory = content_directory() / "pipelines"
    return Recipe(tuple(rules), directory, place_databases(config), encode_event, texts, indicators)


@cache
def _tools_for_tests() -> Tools:
    return recipe(Config(), ()).tools()


def event_from_payload(payload: Mapping[str, Any], tools: Tools | None = None) -> Event:
    """The event that the intake would make of a payload; for rule tests. Raises `Rejected`.

    Without `tools` those of a new installation: the shipped pipelines.
    """
    body = dict(payload)
    record = RawRecord(body=body, received_at=now_ms(), raw=orjson.dumps(body))
    return passed(record, tools or _tools_for_tests(), (normalise, enrich)).event


def event_from_record(record: dict[str, Any] | str) -> Event:
    """The event that the shipped pipelines make of a raw record. Raises `Rejected`."""
    raw = record.encode("utf-8", "replace") if isinstance(record, str) else orjson.dumps(record)
    return passed(RawRecord(record, now_ms(), raw), _tools_for_tests(), (normalise, enrich)).event


def lookups_for_tests() -> Lookups:
    """What processors ask of others, with the place databases that the settings name; to try pipelines."""
    return lookups_of(place_databases(load_config()))


@contextlib.contextmanager
def engine_for_queries(directory: str) -> Iterator[EventStore]:
    """An embedded engine with nothing in it, to evaluate queries on."""
    store = open_event_store(Config(data=Path(directory)))
    try:
        yield store
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one process, as the API and the workers find them."""

    config: Config
    clock: Clock
    holder: str
    events: EventStore
    state: StateStore
    access: Access
    audit: AuditTrail
    metrics: CollectorRegistry
    intake: Intake
    rejected: RejectedEvents
    rules: RulesService
    suppressions: SuppressionsService
    previews: Previews
    exclusions: Exclusions
    signal_explanations: SignalExplanations
    leads: Leads
    rule_explanations: RuleExplanations
    pipelines: PipelinesService
    reference_tables: ReferenceTables
    security_filters: SecurityFilters
    backtests: Backtests
    jobs: JobsService
    baselines: InstantBaselines
    job_runner: JobRunner
    scheduled_runner: ScheduledRunner
    scheduled_runs: ScheduledRuns
    renewal: Renewal
    feeds: FeedsService
    hunter: Hunter
    indicators: IndicatorExplorer
    engine: SignalEngine
    critical_assets: CriticalAssetsService
    coverage: CoverageService
    attack_maps: AttackMaps
    content_packs: ContentPacks
    sample_logs: SampleLogs
    signals: SignalsService
    explore: ExploreService
    triage: TriageService
    outbox: Outbox
    places_warning: str | None

    @property
    def evaluator(self) -> Evaluator:
        return self.engine.evaluator

    def close(self) -> None:
        """Stop the intake after its last commit, then close the stores."""
        self.intake.stop()
        self.access.flush()
        self.events.close()
        self.state.close()


def build(config: Config, clock: Clock = now_ms) -> Services:
    """Open both stores, bring their schemas up to date, and wire all services.

    Nothing runs yet: the workers start the intake and the engine. Raises `TocsinError` with what is wrong.
    """
    state = open_state_store(config)
    try:
        events = open_event_store(config)
    except BaseException:
        state.close()
        raise
    try:
        events.migrate()
        return _wire(config, clock, state, events)
    except BaseException:
        events.close()
        state.close()
        raise


def _wire(config: Config, clock: Clock, state: StateStore, events: EventStore) -> Services:
    holder = f"{socket.gethostname()}-{secrets.token_hex(6)}"
    registry = CollectorRegistry()
    audit = AuditTrail(clock)
    access = Access(state, audit, clock, config)
    leases = Leases(state, clock)
    if not config.state_url:
        leases.clear()
    outbox = Outbox(state, clock, holder)

    reference_tables = ReferenceTables(
        state,
        audit,
        clock,
        config.data / "reference-tables",
        uses=lambda: uses(rules.all_rules(), pipelines.all()),
    )
    pipelines = PipelinesService(
        state,
        audit,
        clock,
        shipped=read_shipped_pipelines(content_directory() / "pipelines"),
        lookups=lambda: dataclasses.replace(lookups_of(place_databases(config)), row=reference_tables.row),
    )
    pipelines.load_shipped()

    def with_tables(setup: Recipe) -> Recipe:
        """The recipe with the reference tables that its rules and pipelines name."""
        return dataclasses.replace(setup, tables=reference_tables.files(tables_named(setup.rules, setup.texts or ())))

    @lru_cache(maxsize=1)
    def made(setup: Recipe) -> Tools:
        return setup.tools()

    def tools_for_tests() -> Tools:
        return made(with_tables(recipe(config, (), pipelines.active())))

    places = Places(place_databases(config))
    rules = RulesService(
        state,
        audit,
        clock,
        to_event=lambda payload: event_from_payload(payload, tools_for_tests()),
        is_table_too_large=reference_tables.is_too_large,
        column=reference_tables.column,
        has_cities=places.has_cities,
    )
    rules.load_shipped(read_shipped(content_directory() / "rules"))
    security_filters = SecurityFilters(state, audit, clock, new_id=lambda: new_rule_id(secrets.randbelow))
    security_filters.load_builtin()
    suppressions = SuppressionsService(state, audit, clock, rules, new_id=lambda: new_rule_id(secrets.randbelow))
    access.restrictions.protect(RULE, rules.name)
    access.restrictions.protect(SUPPRESSION, suppressions.name)

    packs = read_packs(content_directory() / "packs")
    sample_logs = SampleLogs(
        state,
        audit,
        clock,
        packs,
        leases,
        holder=holder,
        new_id=lambda: new_uuid(secrets.token_bytes),
        kept_ms=config.logs_retention_days * DAY_MS,
    )
    content_packs = ContentPacks(
        state,
        events,
        audit,
        clock,
        packs,
        rules=rules,
        pipelines=pipelines,
        filters=security_filters,
        had_samples=sample_logs.may_be_stored,
    )
    content_packs.settle()

    feeds = _feeds(config, clock, state, audit, leases, holder)

    owners = Owners(rules)
    latest = Latest()
    matches, members = Matches(events, latest), MixedMatches(events, owners)
    rows, hidden_rows = SignalRows(events), SignalRows(events, SUPPRESSED)
    stored_signals = StoredSignals(rows, members, rules.rule_at)
    replay = Replay(StoredLogs(events), matches, reference_tables.column, stored_signals)
    matching = SignalMatching()
    critical_assets = CriticalAssetsService(state, audit, clock, new_id=lambda: new_rule_id(secrets.randbelow))
    engine_holder: list[SignalEngine] = []
    triage = TriageService(
        state,
        audit,
        clock,
        find_signals=rows.timestamps,
        find_person=assignable(access.users),
        project=lambda ids: engine_holder[0].project(ids),
        lock_after_ms=config.signal_lock_days * DAY_MS,
    )
    signals = SignalsService(rows, matches, rules, members, triage_of=triage.triage_of)
    writer = SignalWriter(
        rows,
        matches,
        state,
        outbox,
        clock,
        triage_of=triage.triage_of,
        hand_over=triage.hand_over,
        reopen=triage.reopen,
        history=history,
        metrics=SignalMetrics(registry),
        hidden_rows=hidden_rows,
        suppressions=suppressions.present,
        matching=matching,
        members=members,
        assets=critical_assets.present,
    )
    beat = Progress(state, "engine")
    registry.register(StateGauges(outbox, beat, clock))
    ledger = Ledger(LedgerRows(events), beat, clock, holder, registry)
    baselines = InstantBaselines(replay, matches, state, clock, registry)
    evaluator = Evaluator(
        matches,
        Progress(state),
        rules,
        writer,
        clock,
        EvaluatorMetrics(registry),
        lambda source, since, now: Feed(source, since, now, owners.is_plain),
        baselines=baselines,
        notes=ledger,
        has_cities=places.has_cities,
    )
    correlator = Evaluator(
        members,
        Progress(state, "signals"),
        rules,
        writer,
        clock,
        EvaluatorMetrics(registry, "tocsin_correlator"),
        lambda _source, since, now: MixedFeed(
            members, SignalFeed(members, lambda: writer.matched_version, since, now), now, owners
        ),
        notes=ledger,
    )
    engine = SignalEngine(evaluator, writer, leases, clock, holder, registry, correlator=correlator, ledger=ledger)
    engine_holder.append(engine)

    def seeing(enabled: Iterable[Rule]) -> list[Rule]:
        """The rules over the events that security filters let them see and suppressions do not keep from them."""
        present, now, analysed = suppressions.present(), clock(), security_filters.effective()
        return [analysing(excluding(rule, present.exclusions(rule, now)), analysed) for rule in enabled]

    def over_logs(query: str) -> list[Rule]:
        """The enabled rules over logs that a query finds, as they would run without suppressions."""
        analysed = security_filters.effective()
        found = (rule for rule in rules.enabled_rules() if selects(query, rule) and not reads_signals(rule))
        return [analysing(rule, analysed) for rule in found]

    def live_rules() -> list[Rule]:
        """The rules that look at logs as they come in."""
        return [rule for rule in rules.enabled_rules() if rule.schedule is None]

    def present_recipe() -> Recipe:
        return with_tables(recipe(config, seeing(live_rules()), pipelines.active(), feeds.table))

    def committed(ingested_at: int, lines: Mapping[str, bytes]) -> None:
        latest.add(ingested_at, lines)
        engine.wake()

    metrics = IntakeMetrics(registry)
    intake = Intake(
        events,
        _processors(config, present_recipe(), metrics),
        clock=clock,
        metrics=metrics,
        buffer_bytes=config.intake_buffer_bytes,
        on_commit=committed,
        before_commit=engine.hold,
    )

    def renew() -> None:
        matching.use(seeing(rules.enabled_rules()))
        intake.use(present_recipe())

    renewal = Renewal(renew, registry)
    rules.on_change(lambda _enabled: renewal())
    suppressions.on_exclusions(renewal)
    security_filters.on_change(renewal)
    pipelines.on_change(renewal)
    reference_tables.on_change(renewal)
    feeds.on_change(lambda _table: renewal())

    explore = ExploreService(events, clock)

    def seen(rule: Rule) -> Rule:
        return seeing([rule])[0]

    results = SignalRows(events, HISTORICAL)
    job_runner = JobRunner(
        state,
        replay,
        results,
        JobResults(events),
        leases,
        clock,
        holder,
        registry,
        seeing=seen,
        assets=critical_assets.present,
        suppressions=suppressions.present,
    )
    jobs = JobsService(
        state,
        audit,
        clock,
        rules,
        results=results,
        signals=rows,
        remove_results=job_runner.remove_results,
        add_history=_add_created,
        new_id=lambda: new_uuid(secrets.token_bytes),
        wake=job_runner.wake,
    )

    scheduled_runs, evaluated = ScheduledRuns(state, rules, clock), Progress(state)
    return Services(
        config=config,
        clock=clock,
        holder=holder,
        events=events,
        state=state,
        access=access,
        audit=audit,
        metrics=registry,
        intake=intake,
        rejected=RejectedEvents(events, intake, clock),
        rules=rules,
        suppressions=suppressions,
        signal_explanations=SignalExplanations(rows, hidden_rows, rules, clock),
        leads=Leads(signals, rules),
        rule_explanations=RuleExplanations(
            rules,
            EntityEvents(events),
            EntityEvents(events, SIGNALS),
            EntityEvents(events, SUPPRESSED),
            replay,
            rows,
            hidden_rows,
            suppressions.present,
            Progress(state).failures,
            security_filters.effective,
            clock,
            lambda rule_id: scheduled_runs.of(rule_id).analysed_until,
        ),
        previews=Previews(events, clock, lambda query: rules.page(query, size=EVERY_RULE).rules),
        exclusions=Exclusions(events, clock, suppressions.present, over_logs),
        pipelines=pipelines,
        reference_tables=reference_tables,
        security_filters=security_filters,
        backtests=Backtests(rules, replay, clock, seen, critical_assets.present, suppressions.present),
        jobs=jobs,
        baselines=baselines,
        job_runner=job_runner,
        scheduled_runner=ScheduledRunner(
            state,
            rules,
            replay,
            matches,
            leases,
            clock,
            holder,
            registry,
            seeing=seen,
            wake=engine.wake,
            is_evaluated=lambda arrived_at: (evaluated.watermark() or 0) > arrived_at - BUCKET_MS,
        ),
        scheduled_runs=scheduled_runs,
        renewal=renewal,
        feeds=feeds,
        indicators=IndicatorExplorer(state, events, explore, feeds, audit, clock, places.place),
        hunter=Hunter(state, events, clock, leases, holder=holder, rules=live_rules),
        engine=engine,
        critical_assets=critical_assets,
        coverage=CoverageService(LedgerRows(events), beat, rules, state, clock),
        attack_maps=AttackMaps(rules, LedgerRows(events)),
        content_packs=content_packs,
        sample_logs=sample_logs,
        signals=signals,
        explore=explore,
        triage=triage,
        outbox=outbox,
        places_warning=places.warning,
    )


def _feeds(
    config: Config, clock: Clock, state: StateStore, audit: AuditTrail, leases: Leases, holder: str
) -> FeedsService:
    """Feeds of indicators; their files and the table of all of them live in the data directory."""

    def open_outbound(auth: tuple[str, str] | None, headers: dict[str, str]) -> Outbound:
        return Outbound(allow_internal=config.outbound_internal, auth=auth, headers=headers)

    return FeedsService(
        state,
        audit,
        clock,
        Vault(config.data, config.secret_key),
        Fetcher(config.data / "feeds", open_outbound),
        leases,
        directory=config.data / "indicators",
        holder=holder,
        new_id=lambda: new_uuid(secrets.token_bytes),
        hunt_days=min(config.logs_retention_days or HUNT_DAYS, HUNT_DAYS),
    )


def _processors(config: Config, setup: Recipe, metrics: IntakeMetrics) -> list[Processor]:
    """`intake_workers` processes; 0 picks as many as pay off: the engine leaves most of its core to them."""
    count = config.intake_workers or max(2, (os.cpu_count() or 2) - 1)
    if count < 0:
        return [InThread(setup)]
    return [InChild(setup, on_restart=metrics.worker_restarts.inc, niceness=NICENESS) for _ in range(count)]


def _add_created(session: Session, signal_id: str, severity: str, at: int) -> None:
    history.add(session, signal_id, "created", at, after=severity, comment="Made of a result of a historical job")
