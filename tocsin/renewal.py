"""Detection takes over what people have changed: rules, suppressions, pipelines, tables, indicators."""

import itertools
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry, Counter

_log = structlog.get_logger(__name__)


class Renewal:
    """Does something at each news, from whatever thread it comes, so that what is done last has seen all of it.

    It holds no lock: the news come from services that hold their own, and doing it asks other services. A change is
    stored before its news come, so what goes wrong here is not told to who made it: it is counted, and `retry` does it
    again until it succeeds.
    """

    def __init__(self, renew: Callable[[], None], registry: CollectorRegistry) -> None:
        self._renew = renew
        self._numbers = itertools.count(1)
        self._latest = 0
        self._has_failed = False
        self._failures = Counter(
            "tocsin_renewal_failures", "Changes that detection could not take over at once.", registry=registry
        )

    def __call__(self) -> None:
        self._latest = news = next(self._numbers)
        self._try()
        while news != self._latest:
            news = self._latest
            self._try()

    def retry(self) -> None:
        """Once more, if it failed the last time; every few seconds."""
        if self._has_failed:
            self()

    def _try(self) -> None:
        try:
            self._renew()
        except Exception as error:  # noqa: BLE001 - the edge between a change and detection: counted, tried again
            self._has_failed = True
            self._failures.inc()
            _log.error("a change has not reached detection and will be tried again", error=str(error))
        else:
            self._has_failed = False
