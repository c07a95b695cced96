"""Reading and writing attributes at dotted paths that are split once, when a pipeline is compiled.

A dotted key is the same as nested keys (search-syntax.md §4): reading tries nested keys first, then keys that hold
dots. A number addresses an element of a list. Null is absent.
"""

from collections.abc import Callable
from typing import Any

from tocsin.event import Json

Attributes = dict[str, Json]
Getter = Callable[[Attributes], Any]
Setter = Callable[[Attributes, Any], bool]


def split_path(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def getter(path: str) -> Getter:
    """A function that returns the value at a path, or None."""
    keys = split_path(path)
    if len(keys) == 1:
        return lambda attributes: attributes.get(path)
    first, rest = keys[0], keys[1:]
    has_index = any(key.isdecimal() for key in rest)

    def get(attributes: Attributes) -> Any:
        node = attributes.get(first)
        if type(node) is dict and not has_index:
            for key in rest:
                if type(node) is not dict:
                    node = None
                    break
                node = node.get(key)
            if node is not None:
                return node
        return _search(attributes, keys)

    return get


def _search(node: Any, keys: tuple[str, ...]) -> Any:
    """The slow way, which also finds dotted keys and elements of lists."""
    if not keys:
        return node
    if type(node) is dict:
        for length in range(1, len(keys) + 1):
            key = ".".join(keys[:length])
            if key in node:
                found = _search(node[key], keys[length:])
                if found is not None:
                    return found
    elif type(node) is list and keys[0].isdecimal() and int(keys[0]) < len(node):
        return _search(node[int(keys[0])], keys[1:])
    return None


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


def remover(path: str) -> Callable[[Attributes], None]:
    """A function that removes what is at a path, and the objects that become empty by it."""
    keys = split_path(path)
    if len(keys) == 1:

        def remove_top(attributes: Attributes) -> None:
            attributes.pop(path, None)

        return remove_top
    return lambda attributes: _remove(attributes, keys)


def _remove(node: Attributes, keys: tuple[str, ...]) -> None:
    for length in range(1, len(keys) + 1):
        key = ".".join(keys[:length])
        if key not in node:
            continue
        if length == len(keys):
            del node[key]
            return
        child = node[key]
        if type(child) is dict:
            _remove(child, keys[length:])
            if not child:
                del node[key]
            return
