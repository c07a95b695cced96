"""What the API finds behind `request.app.state.tocsin`: the services, as `bootstrap` wires them."""

from typing import Annotated, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from tocsin.access.audit import AuditTrail
from tocsin.access.service import Access
from tocsin.clock import Clock
from tocsin.config import Config
from tocsin.content_packs.samples import SampleLogs
from tocsin.content_packs.service import ContentPacks
from tocsin.critical_assets.service import CriticalAssetsService
from tocsin.evaluate.evaluator import Evaluator
from tocsin.explain.leads import Leads
from tocsin.explain.rules import RuleExplanations
from tocsin.explain.signals import SignalExplanations
from tocsin.explore.service import ExploreService
from tocsin.intake.rejected import RejectedEvents
from tocsin.intake.service import Intake
from tocsin.pipelines.service import PipelinesService
from tocsin.reference_tables.service import ReferenceTables
from tocsin.rules.attack_map import AttackMaps
from tocsin.rules.backtest import Backtests
from tocsin.rules.coverage import CoverageService
from tocsin.rules.jobs.service import JobsService
from tocsin.rules.scheduled.service import ScheduledRuns
from tocsin.rules.service import RulesService
from tocsin.security_filters.service import SecurityFilters
from tocsin.signals.service import SignalsService
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore
from tocsin.suppressions.exclusions import Exclusions
from tocsin.suppressions.preview import Previews
from tocsin.suppressions.service import SuppressionsService
from tocsin.threat_intel.explorer import IndicatorExplorer
from tocsin.threat_intel.hunts import Hunter
from tocsin.threat_intel.service import FeedsService
from tocsin.triage.service import TriageService


class Tocsin(Protocol):
    """The services of one process. Read-only for everyone but `bootstrap`."""

    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def events(self) -> EventStore: ...
    @property
    def state(self) -> StateStore: ...
    @property
    def access(self) -> Access: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def metrics(self) -> CollectorRegistry: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def rejected(self) -> RejectedEvents: ...
    @property
    def rules(self) -> RulesService: ...
    @property
    def suppressions(self) -> SuppressionsService: ...
    @property
    def previews(self) -> Previews: ...
    @property
    def exclusions(self) -> Exclusions: ...
    @property
    def signal_explanations(self) -> SignalExplanations: ...
    @property
    def leads(self) -> Leads: ...
    @property
    def rule_explanations(self) -> RuleExplanations: ...
    @property
    def pipelines(self) -> PipelinesService: ...
    @property
    def reference_tables(self) -> ReferenceTables: ...
    @property
    def security_filters(self) -> SecurityFilters: ...
    @property
    def jobs(self) -> JobsService: ...
    @property
    def scheduled_runs(self) -> ScheduledRuns: ...
    @property
    def backtests(self) -> Backtests: ...
    @property
    def feeds(self) -> FeedsService: ...
    @property
    def hunter(self) -> Hunter: ...
    @property
    def indicators(self) -> IndicatorExplorer: ...
    @property
    def critical_assets(self) -> CriticalAssetsService: ...
    @property
    def coverage(self) -> CoverageService: ...
    @property
    def attack_maps(self) -> AttackMaps: ...
    @property
    def content_packs(self) -> ContentPacks: ...
    @property
    def sample_logs(self) -> SampleLogs: ...
    @property
    def evaluator(self) -> Evaluator: ...
    @property
    def signals(self) -> SignalsService: ...
    @property
    def explore(self) -> ExploreService: ...
    @property
    def triage(self) -> TriageService: ...


def tocsin_of(request: Request) -> Tocsin:
    """The services of the process that answers this request."""
    services: Tocsin = request.app.state.tocsin
    return services


async def _services(request: Request) -> Tocsin:
    """A coroutine, as are all dependencies that wait for nothing: each of the others costs a request a thread and, in a
    busy process, a turn of the interpreter."""
    return tocsin_of(request)


Services = Annotated[Tocsin, Depends(_services)]
