"""A processor that fails is counted with the request, wherever the work is done."""

from types import SimpleNamespace
from typing import Any

from tocsin.event import Event, RawRecord
from tocsin.normalise.normaliser import Normaliser
from tocsin.pipeline import prepare
from tocsin.query.values import Scalar


class Failing:
    """Normalises anything, and fails in one pipeline each time."""

    def __init__(self) -> None:
        self._normaliser = Normaliser([])
        self.take_failures = self._normaliser.take_failures

    def with_values(self, record: RawRecord) -> tuple[Event, dict[str, list[Scalar]]]:
        self._normaliser._failed("sshd", ValueError("no"))
        return Event("AwAAA", 1, message="m"), {}


def test_failures_travel_with_the_rows_and_are_told_once() -> None:
    nothing = SimpleNamespace(
        enrich=lambda event, values: None, add=lambda event, values: None, match=lambda event, values, document: []
    )
    tools: Any = SimpleNamespace(normaliser=Failing(), enricher=nothing, matcher=nothing, threat_intel=nothing)
    records = tuple(RawRecord(body="m", received_at=1, raw=b"m", occurrence=i) for i in range(2))

    def encode(event: Event, matches: object, values: object, document: bytes) -> bytes:
        return b'{"id":"x","ingested_at":"0"}'

    prepared = prepare(records, tools, encode)
    assert (prepared.failed_processors, prepared.rejected) == ({"sshd": 2}, [])
    assert prepare(records[:1], tools, encode).failed_processors == {"sshd": 1}
