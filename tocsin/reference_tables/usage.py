"""Which reference tables pipelines and rules name: only these are brought to the workers."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from tocsin.normalise.pipelines import PipelineText
from tocsin.rule import Rule

_MEMBER = "lookup_enrichment_table"


def tables_named(rules: Iterable[Rule], texts: Iterable[PipelineText]) -> set[str]:
    """Names of tables, whether these are there or not."""
    names = {given["tableName"] for rule in rules for given in rule.extra.get("referenceTables") or ()}
    for text in texts:
        if _MEMBER.encode() in text.body:
            names.update(_named(orjson.loads(text.body)))
    return names


def _named(body: Any) -> Iterator[str]:
    if isinstance(body.get(_MEMBER), str):
        yield body[_MEMBER]
    for processor in body.get("processors") or ():
        yield from _named(processor)
