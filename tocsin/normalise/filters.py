"""Filters of pipelines and categories: the search language, with the plainest clauses as plain functions.

`source:x` and `@path:word` are nearly all filters there are, so they are worth a function of their own; everything
else is the predicate of `tocsin.query`. A test holds both to the same answers.
"""

from tocsin.errors import BadRequest
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.run import Predicate
from tocsin.query import parse, to_predicate
from tocsin.query.tree import All, And, Equals, FieldKind, Node, Or


def compile_filter(text: str, where: str) -> Predicate:
    """The predicate of a filter. Raises `BadPipeline` with the message of the search language."""
    return to_predicate(parsed(text, where))


def parsed(text: str, where: str) -> Node:
    try:
        return parse(text)
    except BadRequest as error:
        raise BadPipeline(where, f"the query does not parse: {error}") from error


def sources_of(node: Node) -> frozenset[str] | None:
    """The values of `source` outside of which a filter cannot match; None if it may match with any."""
    if isinstance(node, Equals):
        is_source = node.field.kind is FieldKind.NAME and node.field.name == "source"
        return frozenset((node.text,)) if is_source else None
    if isinstance(node, And):
        narrowest: frozenset[str] | None = None
        for part in node.parts:
            found = sources_of(part)
            if found is not None:
                narrowest = found if narrowest is None else narrowest & found
        return narrowest
    if isinstance(node, Or):
        united: frozenset[str] = frozenset()
        for part in node.parts:
            found = sources_of(part)
            if found is None:
                return None
            united |= found
        return united
    return None


def is_only_source(node: Node) -> bool:
    """Whether a filter says nothing but which sources it takes."""
    if isinstance(node, All):
        return True
    if isinstance(node, Or):
        return all(isinstance(part, Equals) and sources_of(part) is not None for part in node.parts)
    return isinstance(node, Equals) and sources_of(node) is not None
