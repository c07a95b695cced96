"""Full text lets through all that its clauses are true of, and little else."""

from functools import cache

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.match.atoms import test_of as decided_by
from tocsin.match.full_text import FOLDED_INTO_ASCII, FullText
from tocsin.query.parser import parse
from tocsin.query.track import LOGS
from tocsin.query.tree import leaves
from tocsin.query.values import fold

CLAUSES = [
    "*:root", "*:*oo*", '*:"failed login"', '*:"a b c d e f g h i j"', "*:ro?t", "*:401", "*:1.5", "*:true",
    "*:straße", "*:ſun", "*:x?y", "ANYCASE(*, ?)", "ANYCASE(*, *failed?login*)", "ANYCASE(*, *\\\\x\\\\*)",
    "ANYCASE(*, root)", "ANYCASE(*, a*b?*c)", 'ANYCASE(*, *\\"q\\"*)', 'REGEX(*, "^f.*n$")', "ANYCASE(*, *K*)",
    "ANYCASE(*, *1e300*)", "ANYCASE(*, *.5*)", "ANYCASE(*, *💥?y*)",
]  # fmt: skip

PARTS = st.sampled_from(
    ["root", "Root", "failed", "login", "-", " ", "\n", "\x01", '"', "\\", "\\x\\", "ß", "straße", "K", "ſun", "401",
     "1", ".5", "x", "y", "💥", "a", "b", "c", "q", "\x7f", "\u2028"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PARTS, max_size=6).map("".join), st.text(max_size=5))
SCALARS = st.one_of(
    TEXTS, st.sampled_from([401, 401.5, 1.5, 1e300, 1e20, 1e-7, 0.1, -1, 2**64 - 1, -(2**63)]), st.booleans()
)


@cache
def all_of_them() -> tuple[FullText, dict[str, int]]:
    """All clauses looked for together, and the number of each."""
    found = {text: leaves(parse(text))[0] for text in CLAUSES}
    atoms = {leaf: (number, decided_by(leaf, LOGS)) for number, leaf in enumerate(found.values())}
    assert len(atoms) == len(CLAUSES)
    return FullText(atoms), {text: atoms[leaf][0] for text, leaf in found.items()}


@cache
def alone(text: str) -> FullText:
    leaf = leaves(parse(text))[0]
    return FullText({leaf: (1, decided_by(leaf, LOGS))})


def let_through(names: list, values: list, document: bytes = b"") -> dict[str, bool]:
    """Which clauses full text lets through."""
    full, numbers = all_of_them()
    found = full.possible(names, values, document)
    return {text: number in found for text, number in numbers.items()}


def document_of(values: list) -> bytes:
    """As it is stored: with names of attributes, of which some are looked for as well."""
    return orjson.dumps(dict(zip(("root", "x", "b", "c"), values, strict=False)))


def true_of(text: str, names: list, values: list) -> bool:
    test = decided_by(leaves(parse(text))[0], LOGS)
    flat = [value for one in (*filter(None, names), *values) for value in ([one] if isinstance(one, str) else one)]
    return any(map(test, flat))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.none(), TEXTS, st.lists(TEXTS, max_size=2)), max_size=3),
    st.lists(st.lists(SCALARS), max_size=4),
)
@example(["failed\nlogin"], [])
@example([], [["failed\x01login", "ROOT"]])
@example([], [[401.0, 1.5, 1e300, True]])
def test_nothing_that_is_true_is_passed_over(names: list, values: list) -> None:
    through = let_through(names, values)
    with_document = let_through(names, values, document_of(values))
    for text in CLAUSES:
        assert through[text] or not true_of(text, names, values), text
        assert with_document[text] or not true_of(text, names, values), text


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_each_clause_alone_passes_nothing_over(one: str, two: str) -> None:
    """Alone a clause may need no reading of numbers, which others that stand beside it do."""
    values = [[two], [7, 401]]
    for text in CLAUSES:
        for document in (b"", document_of(values)):
            assert alone(text).possible([one], values, document) or not true_of(text, [one], values), text


def test_a_name_of_an_attribute_is_no_value() -> None:
    assert not alone("*:root").possible([], [["nobody"]], b'{"root":"nobody"}')
    assert alone("*:root").possible([], [["root"]], b'{"who":"root"}') == {1}
    assert alone("*:root").possible(["root"], [], b"{}") == {1}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ANYCASE(*, *failed?login*)", ["failed", "login"]),
        ("ANYCASE(*, *failed?login*)", ["failed to login"]),
        ('*:"failed login"', ["login failed", "failed logins"[:6], "loginfailed"]),
        ("*:root", ["roo", "r\\u006fot"]),
    ],
)
def test_what_is_not_there_is_mostly_not_let_through(text: str, values: list[str]) -> None:
    assert not let_through([], [[value] for value in values])[text]


def test_a_long_clause_is_looked_for_by_its_beginning() -> None:
    long = "x1" * 500
    full = alone(f"ANYCASE(*, *{long}*)")
    assert full.possible([f"a{long}b"], []) == {1}
    assert not full.possible(["x1"], [])


def test_half_a_character_is_no_danger() -> None:
    assert alone("*:root").possible(["a\ud800b root"], []) == {1}
    assert alone("*:root").possible(["a\ud800b root"], [], b"{}") == {1}


def test_what_folds_into_ascii_is_known() -> None:
    """A text is folded only where a clause is beyond ASCII: of others these characters could be meant."""
    beyond = "".join(chr(point) for point in range(0x80, 0x110000) if not 0xD800 <= point < 0xE000)
    folded = zip(beyond, fold(beyond), strict=True)
    assert {one.encode(): into.encode() for one, into in folded if into.isascii()} == FOLDED_INTO_ASCII
