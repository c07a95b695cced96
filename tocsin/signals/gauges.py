"""What the state store knows of waiting work, read when somebody asks for the metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tocsin.clock import Clock
from tocsin.errors import TocsinError
from tocsin.evaluate.repository import Progress
from tocsin.store.outbox import Outbox


class StateGauges(Collector):
    """Equal in every process: messages that wait in the outbox, and when detection was last heard of."""

    def __init__(self, outbox: Outbox, beat: Progress, clock: Clock) -> None:
        self._outbox = outbox
        self._beat = beat
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Nothing: the stores are not asked when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Nothing at all while the state store does not answer: a missing value is not a zero."""
        try:
            waiting, heard, covered = self._outbox.waiting(), self._beat.saved_at(), self._beat.watermark()
        except TocsinError:
            return
        now = self._clock()
        count = GaugeMetricFamily("tocsin_outbox_waiting", "Messages that wait, by topic.", labels=["topic"])
        age = GaugeMetricFamily("tocsin_outbox_oldest_seconds", "Age of the oldest of them.", labels=["topic"])
        failing = GaugeMetricFamily("tocsin_outbox_failing", "1 if one of them failed before.", labels=["topic"])
        for topic, (number, oldest, error) in waiting.items():
            count.add_metric([topic], number)
            age.add_metric([topic], max(now - oldest, 0) / 1000)
            failing.add_metric([topic], 0 if error is None else 1)
        yield from (count, age, failing)
        if heard is not None and covered is not None:
            silent = GaugeMetricFamily("tocsin_engine_silent_seconds", "Since detection was last heard of.")
            silent.add_metric([], max(now - heard, 0) / 1000)
            behind = GaugeMetricFamily("tocsin_engine_behind_seconds", "Since when on arrivals are not evaluated.")
            behind.add_metric([], max(now - covered, 0) / 1000)
            yield from (silent, behind)
