"""Pipelines: descriptions in the API's shape, compiled once and chosen by source (siem.md §1.8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.filters import compile_filter, is_only_source, parsed, sources_of
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.processors import Compiler
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Predicate, Process, Run


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A compiled pipeline. `sources` are the only values of `source` that its filter can match, None for any.

    `matches` is None where the sources say it all.
    """

    name: str
    processes: tuple[Process, ...]
    sources: frozenset[str] | None
    matches: Predicate | None


def compile_pipeline(body: Mapping[str, Any], lookups: Lookups, *, enabled_by_default: bool = False) -> Pipeline | None:
    """One pipeline; None if it is switched off. Raises `BadPipeline` that names the place of the mistake."""
    settings = Settings(body, "")
    compiler = Compiler(lookups, enabled_by_default)
    name = settings.text("name")
    query = settings.inner("filter").text("query", "") if settings.has("filter") else ""
    node = parsed(query, "filter.query")
    processes = _processes(settings, compiler, is_nested=False)
    if not settings.flag("is_enabled", enabled_by_default):
        return None
    return Pipeline(
        name,
        tuple(processes),
        sources_of(node),
        None if is_only_source(node) else compile_filter(query, "filter.query"),
    )


def _processes(settings: Settings, compiler: Compiler, *, is_nested: bool) -> list[Process]:
    bodies = settings.raw("processors") or []
    if not isinstance(bodies, list):
        raise settings.bad("processors", "a list is expected")
    prefix = f"{settings.where}." if settings.where else ""
    found: list[Process] = []
    for index, body in enumerate(bodies):
        where = f"{prefix}processors[{index}]"
        if isinstance(body, Mapping) and body.get("type") == "pipeline":
            if is_nested:
                raise BadPipeline(where, "a nested pipeline cannot hold another one")
            process = _nested(Settings(body, where), compiler)
        else:
            process = compiler.processor(body, where)
        if process is not None:
            found.append(process)
    return found


def _nested(settings: Settings, compiler: Compiler) -> Process | None:
    query = settings.inner("filter").text("query", "") if settings.has("filter") else ""
    matches = compile_filter(query, f"{settings.where}.filter.query")
    processes = tuple(_processes(settings, compiler, is_nested=True))
    if not settings.flag("is_enabled", compiler.enabled_by_default):
        return None

    def process(event: Event, run: Run) -> None:
        if matches(event):
            run.all_of(processes, event)

    return process


@dataclass(frozen=True, slots=True)
class PipelineText:
    """A pipeline as it travels to a worker: its description as JSON, and what a missing `is_enabled` means in it."""

    body: bytes
    is_enabled_by_default: bool

    def compiled(self, lookups: Lookups) -> Pipeline | None:
        """None if it is switched off. Raises `BadPipeline`."""
        return compile_pipeline(orjson.loads(self.body), lookups, enabled_by_default=self.is_enabled_by_default)

    def __reduce__(self) -> "tuple[type[PipelineText], tuple[bytes, bool]]":
        """Said, because a compiled class does not travel by itself (decision 0194)."""
        return PipelineText, (self.body, self.is_enabled_by_default)


class Pipelines:
    """Pipelines in their order; for each source only those that can apply are looked at."""

    def __init__(self, pipelines: Sequence[Pipeline]) -> None:
        self._pipelines = tuple(pipelines)
        self._by_source: dict[str | None, tuple[Pipeline, ...]] = {}

    def run(self, event: Event, run: Run) -> None:
        """Every pipeline whose filter matches the event as it stands at that moment."""
        source = event.source
        chosen = self._by_source.get(source)
        if chosen is None:
            chosen = self._choose(source)
        for pipeline in chosen:
            if pipeline.matches is None or pipeline.matches(event):
                run.pipeline = pipeline.name
                run.all_of(pipeline.processes, event)

    def _choose(self, source: str | None) -> tuple[Pipeline, ...]:
        chosen = tuple(
            pipeline for pipeline in self._pipelines if pipeline.sources is None or (source or "") in pipeline.sources
        )
        if len(self._by_source) < 10_000:  # the source comes from the sender: do not remember without bound
            self._by_source[source] = chosen
        return chosen


def read_pipelines(directory: Path, lookups: Lookups) -> list[Pipeline]:
    """The shipped pipelines: one YAML or JSON file each, in order of their names. Missing `is_enabled` is true."""
    found: list[Pipeline] = []
    for file in pipeline_files(directory):
        body = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        try:
            pipeline = compile_pipeline(body, lookups, enabled_by_default=True)
        except BadPipeline as error:
            raise BadPipeline(f"{file.name}: {error.where}", error.problem) from error
        if pipeline is not None:
            found.append(pipeline)
    return found


def pipeline_files(directory: Path) -> list[Path]:
    """The files of shipped pipelines in order."""
    files = [*directory.glob("*.yaml"), *directory.glob("*.json")]
    return sorted(file for file in files if not file.name.startswith("_"))
