"""Filters of pipelines and categories: the search language, with existence as a plain function.

Whether an attribute exists is what pipelines ask most, and the search language answers it by looking at the whole
event. All other clauses are the predicate of `tocsin.query`. A test holds both to the same answers.
"""

from typing import Any

from tocsin.errors import BadRequest
from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.paths import split_path
from tocsin.normalise.run import Predicate
from tocsin.query import parse, to_predicate
from tocsin.query.tree import All, And, Equals, Exists, FieldKind, Node, Not, Or


def compile_filter(text: str, where: str) -> Predicate:
    """The predicate of a filter. Raises `BadPipeline` with the message of the search language."""
    return predicate(parsed(text, where))


def predicate(node: Node) -> Predicate:
    if isinstance(node, All):
        return lambda event: True
    if isinstance(node, Not):
        inner = predicate(node.part)
        return lambda event: not inner(event)
    if isinstance(node, And):
        parts = [predicate(part) for part in node.parts]

        def all_hold(event: Event) -> bool:
            for part in parts:  # noqa: SIM110  a generator costs as much as the parts
                if not part(event):
                    return False
            return True

        return all_hold
    if isinstance(node, Exists) and node.field.kind is FieldKind.ATTRIBUTE:
        return _exists(node)
    if isinstance(node, Exists) and node.field.kind is FieldKind.NAME and node.field.name in ("service", "host"):
        name = node.field.name
        return lambda event: bool(getattr(event, name))
    return to_predicate(node)


def _exists(node: Exists) -> Predicate:
    """Nested objects are followed by hand; lists and dotted keys are left to the search language."""
    steps = [(key, f"{key}.") for key in split_path(node.field.name)]
    in_full = to_predicate(node)

    def exists(event: Event) -> bool:
        value: Any = event.attributes
        for key, _ in steps:
            if type(value) is not dict:
                return in_full(event)
            value = value.get(key)
            if value is None:
                return has_dotted(event.attributes) and in_full(event)
        kind = type(value)
        return kind is str or kind is int or kind is bool or in_full(event)

    def has_dotted(attributes: Any) -> bool:
        """Whether a key on the way may hold the dot of the path in it."""
        for key, prefix in steps:
            if prefix in "\n".join(attributes):
                return True
            attributes = attributes.get(key)
            if attributes is None:
                break
        return False

    return exists


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
