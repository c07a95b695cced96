"""A sample on its way through a pipeline, step by step: the event after each processor, and what failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.event import Event
from tocsin.normalise.evaluate import sample_event
from tocsin.normalise.filters import compile_filter
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.paths import copied
from tocsin.normalise.pipelines import compile_pipeline
from tocsin.normalise.run import Run

SHOWN = ("message", "status", "host", "service", "source", "trace_id", "timestamp")


@dataclass(frozen=True, slots=True)
class Step:
    """What one processor did. `where` is its place, `failed` the error that it was left behind with.

    `outcome` is changed, unchanged, failed, disabled, or not_matched for a nested pipeline whose filter says no.
    """

    where: str
    type: str
    name: str
    outcome: str
    failed: str | None
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Traced:
    """A sample: whether the pipeline's filter takes it, the event before the first step, its steps, and its end."""

    is_matched: bool
    before: Mapping[str, Any]
    steps: tuple[Step, ...]
    event: Mapping[str, Any]


def trace(body: Mapping[str, Any], sample: Any, lookups: Lookups, number: int, now: int) -> Traced:
    """Run a valid pipeline over a sample whether its filter takes it or not. Raises `BadSample`."""
    event = sample_event(sample, number)
    event.timestamp = now
    event.status = "info"
    whole = compile_pipeline({**body, "processors": []}, lookups)
    if event.source is None and whole is not None and whole.sources:
        event.source = min(whole.sources)
    query = (body.get("filter") or {}).get("query") or ""
    is_matched = compile_filter(query, "filter.query")(event)
    before = _shown(event)
    failures: list[str] = []
    tracer = _Tracer(event, lookups, Run(now, lambda _, error: failures.append(str(error))), failures)
    tracer.through(body, "")
    return Traced(is_matched, before, tuple(tracer.steps), _shown(event))


class _Tracer:
    def __init__(self, event: Event, lookups: Lookups, run: Run, failures: list[str]) -> None:
        self.event = event
        self.lookups = lookups
        self.run = run
        self.failures = failures
        self.steps: list[Step] = []

    def through(self, pipeline: Mapping[str, Any], prefix: str) -> None:
        for index, processor in enumerate(pipeline.get("processors") or ()):
            where = f"{prefix}processors[{index}]"
            if processor.get("type") != "pipeline":
                self._step(processor, where)
                continue
            query = (processor.get("filter") or {}).get("query") or ""
            if not _is_enabled(processor):
                self._tell(processor, where, "disabled")
            elif not compile_filter(query, where)(self.event):
                self._tell(processor, where, "not_matched")
            else:
                self.through(processor, f"{where}.")

    def _step(self, processor: Mapping[str, Any], where: str) -> None:
        if not _is_enabled(processor):
            self._tell(processor, where, "disabled")
            return
        before = _shown(self.event)
        alone = compile_pipeline({"name": where, "is_enabled": True, "processors": [processor]}, self.lookups)
        self.failures.clear()
        if alone is not None:
            self.run.all_of(alone.processes, self.event)
        failed = self.failures[0] if self.failures else None
        outcome = "failed" if failed else "unchanged" if _shown(self.event) == before else "changed"
        self._tell(processor, where, outcome, failed)

    def _tell(self, processor: Mapping[str, Any], where: str, outcome: str, failed: str | None = None) -> None:
        name = str(processor.get("name") or "")
        self.steps.append(Step(where, str(processor["type"]), name, outcome, failed, _shown(self.event)))


def _is_enabled(body: Mapping[str, Any]) -> bool:
    return bool(body.get("is_enabled", body.get("enabled", False)))


def _shown(event: Event) -> dict[str, Any]:
    reserved = {name: getattr(event, name) for name in SHOWN if getattr(event, name) is not None}
    return {**reserved, "tags": list(event.tags), "attributes": copied(event.attributes)}
