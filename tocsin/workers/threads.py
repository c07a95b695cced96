"""The threads beside the web server."""

import os
import threading
from collections.abc import Callable

import structlog
from prometheus_client import Counter

from tocsin.access.audit import drain
from tocsin.access.local_keys import read_local_keys
from tocsin.bootstrap import Services
from tocsin.intake.request import Request
from tocsin.store import settings
from tocsin.workers.demo import DemoPlayer
from tocsin.workers.demo_analysts import DemoAnalysts

AUDIT_SECONDS = 0.5
FLUSH_SECONDS = 30.0
RULES_SECONDS = 2.0
SAMPLES_SECONDS = 2.0
STORED_SECONDS = 60.0
JOIN_SECONDS = 10.0

DEMO_BEGAN = "demo.began_at"
DEMO_LOADED = "demo.loaded"

log = structlog.get_logger(__name__)


class Workers:
    """A round that fails is logged, counted and repeated; none ends the process."""

    def __init__(self, services: Services, url: str) -> None:
        self._services = services
        self._url = url
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures = Counter(
            "tocsin_worker_failures", "Rounds of a worker that failed.", ["worker"], registry=services.metrics
        )

    def start(self) -> None:
        services = self._services
        services.intake.start()
        self._run("engine", lambda: services.engine.run(self._stop))
        self._run("baselines", lambda: services.baselines.run(self._stop))
        self._run("jobs", lambda: services.job_runner.run(self._stop))
        self._run("scheduled rules", lambda: services.scheduled_runner.run(self._stop))
        self._every("audit", AUDIT_SECONDS, self._bring_audit)
        self._every("usage", FLUSH_SECONDS, services.access.flush)
        self._every("rules", RULES_SECONDS, services.rules.poll)
        self._every("renewal", RULES_SECONDS, services.renewal.retry)
        self._every("suppressions", RULES_SECONDS, services.suppressions.poll)
        self._every("pipelines", RULES_SECONDS, services.pipelines.poll)
        self._every("security filters", RULES_SECONDS, services.security_filters.poll)
        self._every("reference tables", RULES_SECONDS, services.reference_tables.poll)
        self._every("feeds", RULES_SECONDS, services.feeds.refresh_due)
        self._every("hunts", RULES_SECONDS, lambda: services.hunter.run(self._stop.is_set))
        self._every("indicators", RULES_SECONDS, services.feeds.poll)
        self._every("sample logs", SAMPLES_SECONDS, self._send_samples)
        if services.config.demo:
            self._run("demo", self._play)

    def stop(self) -> None:
        """Stop the threads, bring what they left, then close the services."""
        self._stop.set()
        self._services.engine.wake()
        self._services.baselines.wake()
        self._services.job_runner.wake()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._bring_audit()
        self._services.close()

    def _bring_audit(self) -> None:
        while drain(self._services.outbox, self._services.events, self._services.clock):
            pass

    def _run(self, name: str, work: Callable[[], object]) -> None:
        thread = threading.Thread(target=work, name=f"tocsin-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _every(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        def loop() -> None:
            while not self._stop.wait(seconds):
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - the edge of a worker: counted, logged, tried again
                    self._failures.labels(name).inc()
                    log.error("a round failed and will be repeated", worker=name, error=str(error))

        self._run(name, loop)

    def _send_samples(self) -> None:
        """Sample logs take the way of all logs; what is not known to be stored is sent again, and is there once."""
        intake, clock = self._services.intake, self._services.clock

        def send(body: bytes) -> None:
            intake.submit(Request(body, clock())).result(STORED_SECONDS)

        self._services.sample_logs.send_due(send)

    def _play(self) -> None:
        """The demonstration: its week once, then what goes on. A kill in between begins the same week again."""
        services = self._services
        clock, config = services.clock, services.config
        local = read_local_keys(config.data)
        key = os.environ.get("TOCSIN_API_KEY") or config.api_key or local.api_key
        app_key = config.app_key or local.app_key
        if not key:
            log.error("the demonstration needs an API key: set TOCSIN_API_KEY")
            return
        with services.state.transaction() as session:
            began_at = int(settings.get_or_put(session, DEMO_BEGAN, clock, clock()))
            is_loaded = bool(settings.get(session, DEMO_LOADED, False))
        player = DemoPlayer(self._url, key, clock, self._stop.is_set)
        if not is_loaded:
            log.info("loading the demonstration: a working week of an invented company, and the intrusions in it")
            analysts = DemoAnalysts(self._url, key, app_key, clock, self._stop.is_set) if app_key else None
            if analysts is not None:
                analysts.prepare()
            player.play_week(began_at)
            if analysts is not None:
                analysts.look_back(began_at)
            if self._stop.is_set():
                return
            with services.state.transaction() as session:
                settings.put(session, DEMO_LOADED, True, clock())
        player.play_afterwards(clock() if is_loaded else began_at)
