"""Which reference tables pipelines and rules name: these are brought to the workers, and cannot be deleted."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import orjson

from tocsin.normalise.pipelines import PipelineText
from tocsin.rule import Rule

_MEMBER = "lookup_enrichment_table"


@dataclass(frozen=True, slots=True)
class Use:
    """A rule or pipeline that names a table, enabled or not."""

    kind: Literal["rule", "pipeline"]
    id: str
    name: str
    is_enabled: bool


class NamedPipeline(Protocol):
    """What is asked of a pipeline."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_enabled(self) -> bool: ...
    @property
    def body(self) -> Mapping[str, Any]: ...


def tables_named(rules: Iterable[Rule], texts: Iterable[PipelineText]) -> set[str]:
    """Names of tables, whether these are there or not."""
    names = {name for rule in rules for name in _in_rule(rule)}
    for text in texts:
        if _MEMBER.encode() in text.body:
            names.update(_in_pipeline(orjson.loads(text.body)))
    return names


def uses(rules: Iterable[Rule], pipelines: Iterable[NamedPipeline]) -> dict[str, tuple[Use, ...]]:
    """Who names a table, by its name; rules first, each by name."""
    found: dict[str, set[Use]] = {}
    for rule in rules:
        for name in _in_rule(rule):
            use = Use("rule", rule.id, rule.custom_name or rule.name, rule.is_enabled)
            found.setdefault(name, set()).add(use)
    for pipeline in pipelines:
        for name in _in_pipeline(pipeline.body):
            use = Use("pipeline", pipeline.id, pipeline.name, pipeline.is_enabled)
            found.setdefault(name, set()).add(use)
    return {
        name: tuple(sorted(those, key=lambda use: (use.kind != "rule", use.name.casefold(), use.id)))
        for name, those in found.items()
    }


def _in_rule(rule: Rule) -> Iterator[str]:
    yield from (given["tableName"] for given in rule.extra.get("referenceTables") or ())


def _in_pipeline(body: Any) -> Iterator[str]:
    if isinstance(body.get(_MEMBER), str):
        yield body[_MEMBER]
    for processor in body.get("processors") or ():
        yield from _in_pipeline(processor)
