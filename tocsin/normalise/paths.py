"""Reading and writing attributes at dotted paths that are split once, when a pipeline is compiled.

A dotted key is the same as nested keys (search-syntax.md §4): where a nested key is missing, the rest of the path is
tried as one key. A number addresses an element of a list. Null is absent.
"""

from collections.abc import Callable
from typing import Any

from tocsin.event import Json

Attributes = dict[str, Json]
Getter = Callable[[Attributes], Any]
Setter = Callable[[Attributes, Any], bool]


def split_path(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _steps(path: str) -> list[tuple[str, str]]:
    """Each key with the rest of the path from it on, as one key."""
    keys = split_path(path)
    return [(key, ".".join(keys[at:])) for at, key in enumerate(keys)]


def getter(path: str) -> Getter:
    """A function that returns the value at a path, or None."""
    steps = _steps(path)
    if len(steps) == 1:
        return lambda attributes: attributes.get(path)

    def get(attributes: Attributes) -> Any:
        node: Any = attributes
        for key, rest in steps:
            if type(node) is dict:
                child = node.get(key)
                if child is None:
                    return node.get(rest)
                node = child
            elif type(node) is list and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                return None
        return node

    return get


def setter(path: str) -> Setter:
    """A function that writes a value at a path and makes the objects on the way; False where a scalar is in the way."""
    *parents, last = split_path(path)
    if not parents:

        def set_top(attributes: Attributes, value: Any) -> bool:
            attributes[last] = value
            return True

        return set_top

    def set_nested(attributes: Attributes, value: Any) -> bool:
        node = attributes
        for key in parents:
            child = node.get(key)
            if type(child) is not dict:
                if child is not None:
                    return False
                child = node[key] = {}
            node = child
        node[last] = value
        return True

    return set_nested


def offerer(path: str) -> Callable[[Attributes, Any], None]:
    """A function that writes a value at a path where there is none: the most frequent thing that pipelines do."""
    get, write = getter(path), setter(path)
    *parents, last = split_path(path)
    if len(parents) != 1:

        def offer(attributes: Attributes, value: Any) -> None:
            if get(attributes) is None:
                write(attributes, value)

        return offer
    (parent,) = parents

    def offer_in_parent(attributes: Attributes, value: Any) -> None:
        node = attributes.get(parent)
        if type(node) is dict:
            if node.get(last) is None:
                node[last] = value
        elif node is None and attributes.get(path) is None:
            attributes[parent] = {last: value}

    return offer_in_parent


def remover(path: str) -> Callable[[Attributes], None]:
    """A function that removes what is at a path, and the objects that become empty by it."""
    steps = _steps(path)
    if len(steps) == 1:

        def remove_top(attributes: Attributes) -> None:
            attributes.pop(path, None)

        return remove_top

    def remove(attributes: Attributes) -> None:
        trail: list[tuple[Attributes, str]] = []
        node: Any = attributes
        for key, rest in steps:
            if type(node) is not dict:
                return
            child = node.get(key)
            if child is None:
                key = rest
            trail.append((node, key))
            node = child
            if child is None:
                break
        for parent, key in reversed(trail):
            parent.pop(key, None)
            if parent:
                return

    return remove


def copied(value: Any) -> Any:
    """A copy that shares nothing that can change."""
    if type(value) is dict:
        return {key: copied(inner) for key, inner in value.items()}
    if type(value) is list:
        return [copied(inner) for inner in value]
    return value
