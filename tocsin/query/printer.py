"""Tree -> text: parsing the text again gives the same tree (§15). The search bar adds and removes values by it."""

from collections.abc import Sequence

from tocsin.query.lexer import EXISTENCE
from tocsin.query.tree import (
    FREE,
    MESSAGE,
    TIMESTAMP,
    All,
    And,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    FieldKind,
    Glob,
    Leaf,
    Node,
    Not,
    Or,
    Pieces,
    Range,
    RangeKind,
    Regex,
    Text,
    TextGlob,
    fold_up,
)
from tocsin.query.values import block_of, number_of

_PLAIN = frozenset("_./@,-")
"""What stands unescaped in a value beside letters and digits, if not first."""

_OPERATORS = frozenset(("AND", "OR", "NOT"))


def print_query(node: Node) -> str:
    """The shortest usual way to write a tree; `*` for every event."""
    return fold_up(node, _print)


def print_field(field: Field) -> str:
    """A field as it is written before the colon."""
    if field.kind is FieldKind.FULL:
        return "*"
    if field.kind in (FieldKind.ATTRIBUTE, FieldKind.CALCULATED):
        sign = "@" if field.kind is FieldKind.ATTRIBUTE else "#"
        return sign + ".".join(_segment(segment) for segment in field.name.split("."))
    return _name(field.name)


def _print(node: Node, below: Sequence[str]) -> str:
    if isinstance(node, Not):
        return f"-({below[0]})" if isinstance(node.part, And | Or) and not _is_group(node.part) else f"-{below[0]}"
    if isinstance(node, And | Or):
        return _series(node, below)
    if isinstance(node, All):
        return "*"
    if isinstance(node, Cidr):
        return f"CIDR({print_field(node.field)}, {', '.join(node.blocks)})"
    if isinstance(node, AnyCase | Regex):
        return _call(node.field, [node])
    return _prefix(node.field) + _value(node)


def _call(field: Field, leaves: Sequence[AnyCase | Regex]) -> str:
    """`ANYCASE(field, value, …)` or `REGEX(field, "…", …)`; the leaves are of one kind."""
    values = [_quoted(leaf.pattern) if isinstance(leaf, Regex) else _case_value(leaf.pieces) for leaf in leaves]
    name = "REGEX" if isinstance(leaves[0], Regex) else "ANYCASE"
    return f"{name}({print_field(field)}, {', '.join(values)})"


def _case_value(pieces: Pieces) -> str:
    is_literal = all(isinstance(piece, str) for piece in pieces)
    return _quoted("".join(map(str, pieces))) if is_literal else _term(pieces).replace(",", "\\,")


def _series(node: And | Or, below: Sequence[str]) -> str:
    separator = " OR " if isinstance(node, Or) else " "
    if _is_group(node):
        first = _field_of(node.parts[0])
        return f"{_prefix(first or FREE)}({separator.join(_bare(part) for part in node.parts)})"
    items: list[str] = []
    parts = iter(enumerate(node.parts))
    for index, part in parts:
        if isinstance(node, Or) and _is_extension(part, node.parts[index + 1 : index + 2]):
            next(parts)
            items.append(_prefix(part.field) + _term((part.blocks[0],)))  # type: ignore[union-attr]
        elif isinstance(node, Or) and isinstance(part, AnyCase | Regex):
            run = _run(part, node.parts[index + 1 :])
            for _ in run[1:]:
                next(parts)
            items.append(_call(part.field, run))
        elif isinstance(node, And) and isinstance(part, Or) and not _is_group(part):
            items.append(f"({below[index]})")
        else:
            items.append(below[index])
    return separator.join(items)


def _run(first: AnyCase | Regex, following: Sequence[Node]) -> list[AnyCase | Regex]:
    """Neighbouring alternatives that one call can name."""
    run = [first]
    for part in following:
        if type(part) is not type(first) or part.field != first.field:
            break
        run.append(part)
    return run


def _is_extension(part: Node, following: Sequence[Node]) -> bool:
    """Whether two alternatives are what an unquoted block means (§11)."""
    return (
        isinstance(part, Cidr)
        and len(part.blocks) == 1
        and "/" in part.blocks[0]
        and part.field not in (MESSAGE, TIMESTAMP)
        and list(following) == [Equals(part.field, part.blocks[0])]
    )


def _is_group(node: Node) -> bool:
    """Whether it can be written `field:( … )`."""
    if not isinstance(node, And | Or):
        return False
    fields = {_field_of(part) for part in node.parts}
    return len(fields) == 1 and None not in fields and FREE not in fields


def _field_of(node: Node) -> Field | None:
    leaf = node.part if isinstance(node, Not) else node
    return None if isinstance(leaf, And | Or | Not | All | Cidr | AnyCase | Regex) else leaf.field


def _bare(node: Node) -> str:
    return f"-{_bare(node.part)}" if isinstance(node, Not) else _value(node)


def _prefix(field: Field) -> str:
    return "" if field.kind is FieldKind.FREE else f"{print_field(field)}:"


def _value(leaf: Leaf | Node) -> str:
    if isinstance(leaf, Equals):
        return _literal(leaf.text)
    if isinstance(leaf, Glob | TextGlob):
        return _term(leaf.pieces)
    if isinstance(leaf, Text):
        return leaf.words[0] if len(leaf.words) == 1 else f'"{" ".join(leaf.words)}"'
    if isinstance(leaf, Range):
        return _range(leaf)
    if isinstance(leaf, Exists):
        return "*"
    raise TypeError(f"{type(leaf).__name__} has no value to print")


def _range(node: Range) -> str:
    low, high = (_bound(node, text) for text in (node.low, node.high))
    if low is not None and high is not None:
        return f"{'[' if node.low_in else '{'}{low} TO {high}{']' if node.high_in else '}'}"
    sign, is_in, bound = (">", node.low_in, low) if low is not None else ("<", node.high_in, high)
    if node.kind is RangeKind.ADDRESS:
        bound = (bound or "").replace(":", "\\:")
    return f"{sign}{'=' if is_in else ''}{bound}"


def _bound(node: Range, text: str | None) -> str | None:
    if text is None:
        return None
    is_bare = node.kind in (RangeKind.NUMBER, RangeKind.ADDRESS, RangeKind.UNIT) or (
        node.kind is RangeKind.TIME and number_of(text) is not None
    )
    return text if is_bare else _quoted(text)


def _literal(text: str) -> str:
    is_plain = (
        text != ""
        and all(character.isalnum() or character in _PLAIN for character in text)
        and text[0] not in "-"
        and text not in _OPERATORS
        and not ("/" in text and block_of(text) is not None)
    )
    return text if is_plain else _quoted(text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _term(pieces: Pieces) -> str:
    return "".join(
        _escaped(piece, is_first=index == 0) if isinstance(piece, str) else piece.value
        for index, piece in enumerate(pieces)
    )


def _escaped(text: str, *, is_first: bool) -> str:
    return "".join(
        character
        if character.isalnum() or (character in _PLAIN and not (is_first and index == 0 and character in "-@"))
        else f"\\{character}"
        for index, character in enumerate(text)
    )


def _name(name: str) -> str:
    escaped = _escaped(name, is_first=True)
    return f"\\{escaped}" if name in EXISTENCE else escaped  # a tag's key that is spelt like the existence test


def _segment(segment: str) -> str:
    if all(character.isalnum() or character in "_-" for character in segment):
        return segment
    return _quoted(segment)
