"""Events and queries for property tests, drawn from one small vocabulary so that queries often match.

The vocabulary holds every trap of search-syntax §15: lists and scalars under one path, integers above 2**53, `1`, `1.0`
and `"1"`, booleans and their names, line breaks, backslashes, case outside ASCII, odd keys, lists of objects,
invalid addresses.
"""

import operator
from typing import Any

from hypothesis import strategies as st

STRINGS = [
    "a", "b", "ab", "abc", "A", "Abc", "a b", "hello", "Hello-world", "hello_world", "hello world", "Hello, world!",
    "web-7", "", " ", "1", "1.0", "01", "+1", "-5", "1e3", "9007199254740993", "9007199254740992",
    "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0.1", ".5", "5.",
    "1e400", "0x10", "1_0", "true", "false", "True", "null", "N/A", "a*b", "a?b", "*", "?", "100%", "a_b", "a%b",
    "C:\\Windows", "\\", "\\\\", "a\\*b", "it's", 'say "hi"', "`tick`", "{q0:String}", "'; DROP TABLE logs; --",
    "a\nb", "a\r\nb", "line\n", "\t", "a\0b", "a\x1fb", "ß", "STRASSE", "straße", "Straße", "ẞ", "İ", "i", "ı", "I",
    "Σ", "σ", "ς", "ΟΔΟΣ", "οδος", "K", "k", "K", "ſ", "s", "S", "Å", "Å", "é", "e\u0301", "日本語", "日本",
    "😀", "a😀b",
    "\ufeff", "\u2028", "a\u00a0b", "a\u3000b", "Ⅷ", "²", "٣", "ǆ", "ǅ", "Ǆ", "Ა", "ა", "10.0.0.1", "10.1.2.3",
    "198.51.100.7", "010.0.0.1", "10.0.0", "10.0.0.256", "10.0.0.1 ", "10.0.0.1:80", "::1", "::", "fd00::1",
    "FD00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "::10.0.0.1", "1:2:3:4:5:6:7:8", "1:2:3", "10.1.2.03",
    "::10.0.0.01", "1:2:3:4::5:6:7:8", ":::1", "12345::", "10.0.0.0/8", "fd00::/8", "2025-01-01",
    "2025-01-01T00:00:00Z", "root", "rootkit", "Login failed for bob", "bob", "failed", "www.example.org",
]  # fmt: skip

NUMBERS: list[Any] = [
    0, 1, -1, 5, -5, 10, 401, 1.0, 1.5, -1.5, 0.1, 0.5, -0.0, 1e3, 1e15, 1e16, 1e20, 1e21, 1.5e300, -1.5e300, 1e-6,
    1e-7, 5e-324, 123456.789, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63),
    -(2**63) - 1, 10**30, 1735689600000,
]  # fmt: skip

KEYS = [
    "k", "a", "b", "usr", "id", "name", "ip", "Data", "Name", "a.b", "k.dot", "last name", "a:b", "`", "a`b", "'",
    '"', "\\", "é", "日本", "K", "%", "%41", "A", "null", "size0", "String", ":String", ".:`Int64`", "^a", "@x", "*",
    "?", "", ".", "a.", ".a", "a..b", "s", "n", "title", "message", "service", "{q0}", "--", "0", "😀", "a\nb", "a\0b",
    "\u00a0",
]  # fmt: skip

WORDS = [
    "a",
    "b",
    "hello",
    "world",
    "login",
    "failed",
    "root",
    "bob",
    "k",
    "1",
    "10",
    "hello_world",
    "straße",
    "σ",
    "日本語",
    "İ",
    "web",
]

PATHS = [
    "k",
    "a",
    "b",
    "a.b",
    "usr.id",
    "usr",
    "k.dot",
    "Data.Name",
    "Data",
    "ip",
    "last name",
    "a.b.k",
    "name",
    "title",
]

TAGS = [
    "env:prod",
    "env:staging:east",
    "crown_jewel",
    "Env:PROD",
    "team:iam",
    "k:5",
    "k:10.0.0.1",
    "a b:c",
    ":x",
    "x:",
    "σ:ΟΔΟΣ",
    "n:1e3",
]


# -- events -----------------------------------------------------------------------------------------------------------

strings = st.one_of(
    st.sampled_from(STRINGS),
    st.lists(st.sampled_from([*WORDS, " ", "-", ".", "!", "\n", "ſ"]), max_size=5).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
numbers = st.one_of(
    st.sampled_from(NUMBERS),
    st.integers(-(2**65), 2**65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-12, 12),
)
scalars = st.one_of(strings, strings, numbers, st.booleans(), st.none())
keys = st.one_of(
    st.sampled_from(KEYS), st.sampled_from(PATHS), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
)

documents = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=10,
)


def _nested(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(merged.get(key), dict) and isinstance(value, dict)
            merged[key] = {**merged[key], **value} if both else value
    return merged


attributes = st.lists(
    st.one_of(
        st.builds(_nested, st.sampled_from(PATHS), st.one_of(scalars, st.lists(scalars, max_size=3), documents)),
        st.builds(lambda key, value: {key: value}, keys, documents),
    ),
    max_size=5,
).map(_merged)

names = st.one_of(st.none(), st.sampled_from(STRINGS), st.lists(st.sampled_from(STRINGS), max_size=2))

events = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": st.one_of(
            st.sampled_from([0, 1735689600000, 1735689600123, -86400000, "2025-01-01T00:00:00Z"]),
            st.integers(-(10**12), 4 * 10**12),
        ),
        "message": st.one_of(strings, st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)),
        "status": st.sampled_from(["info", "error", "Error", "ΣΣ", ""]),
        "host": names,
        "service": names,
        "source": names,
        "trace_id": names,
        "tags": st.lists(st.one_of(st.sampled_from(TAGS), st.text("abk:1Σ", max_size=5)), max_size=4),
        "attributes": attributes,
    },
)


# -- queries ----------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def escaped(text: str) -> str:
    return "".join(f"\\{character}" if not character.isalnum() else character for character in text)


def _has_word(text: str) -> bool:
    return any(character.isalpha() or character.isdecimal() for character in text)


segments = st.one_of(st.sampled_from([key for key in KEYS if all(key.split("."))]), st.sampled_from(PATHS))
attribute_fields = st.one_of(
    st.sampled_from([f"@{path}" for path in PATHS if " " not in path]),
    st.lists(segments, min_size=1, max_size=3).map(lambda path: "@" + ".".join(map(quoted, path))),
    segments.map(lambda path: "@" + ".".join(map(escaped, path.split(".")))),
)
name_fields = st.sampled_from(
    [
        "host",
        "service",
        "source",
        "status",
        "trace_id",
        "tags",
        "message",
        "env",
        "k",
        "ENV",
        "a\\ b",
        "x",
        "σ",
        "n",
        "team",
    ]
)
plain_fields = st.one_of(attribute_fields, attribute_fields, attribute_fields, name_fields)
value_fields = st.one_of(plain_fields, st.just(""), st.just("*"))

literals = st.one_of(
    st.sampled_from(STRINGS),
    st.sampled_from(WORDS),
    st.sampled_from(TAGS),
    st.sampled_from(
        ["401", "1", "1.0", "5", "1e3", "1E16", "100000000000000000000", "1.5", "0", "-0", "true", "error"]
    ),
    numbers.map(str),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3),
)
pieces = st.one_of(
    st.sampled_from(["*", "?"]),
    st.sampled_from([*WORDS, "a", "b", "-", "10.", "\n", "\\", "!", " ", "%", "_", "ſ", "ΣΣ", "0", ".", "e"]).map(
        escaped
    ),
)
globs = st.one_of(
    st.lists(pieces, min_size=1, max_size=5).map("".join),
    st.sampled_from(STRINGS).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda at: f"{escaped(text[:at])}*{escaped(text[at + 1 :])}")
    ),
)
bounds = st.one_of(
    st.just("*"),
    st.sampled_from(["0", "1", "5", "-5", "1.5", "401", "1e3", "1e400", "-1e400", ".5", "+1", "0.1", "1e16", "1e20"]),
    numbers.map(str),
    st.sampled_from(["10.0.0.0", "10.255.255.255", "::", "fd00::", "::ffff:10.0.0.1", "198.51.100.7"]),
    st.sampled_from(STRINGS).map(quoted),
    st.sampled_from(["a", "b", "z", "A"]),
)
blocks = st.sampled_from(
    [
        "10.0.0.0/8",
        "10.0.0.1",
        "10.0.0.1/24",
        "0.0.0.0/0",
        "::/0",
        "fd00::/8",
        "::ffff:0:0/96",
        "::ffff:10.0.0.0/104",
        "::/64",
        "198.51.100.0/24",
        "::1",
        "0.0.0.0/1",
        "::fffe:0:0/95",
    ]
)
times = st.one_of(
    st.sampled_from(
        ["0", "1735689600000", "1735689600122.5", '"2025-01-01"', '"2025-01-01T00:00:00.123Z"', "-1", "1e12", "*"]
    ),
    st.integers(-(10**12), 4 * 10**12).map(str),
)


def _range(opening: str, low: str, high: str, closing: str) -> str:
    return f"{opening}{low} TO {high}{closing}"


ranges = st.builds(_range, st.sampled_from("[{"), bounds, bounds, st.sampled_from("]}"))
comparisons = st.builds(
    lambda sign, bound: sign + (bound if bound.startswith('"') else bound.replace(":", "\\:")),
    st.sampled_from([">", ">=", "<", "<="]),
    bounds.filter(lambda bound: bound != "*"),
)


def _clause(field: str, value: str) -> str:
    return f"{field}:{value}" if field else value


def _group(field: str, values: list[str], separator: str) -> str:
    return f"{field}:({separator.join(values)})"


texts_to_find = st.one_of(literals.filter(_has_word).map(quoted), globs.filter(_has_word))
field_values = st.one_of(literals.map(quoted), globs)

regexes = st.sampled_from(
    ["^a", "b", "a.b", "(?s)a.b", "[0-9]+", "(?i)hello", "w(or|eb)", "\\\\", '"', "^$", "^[^a]*\\.[0-9]"]
)
"""Such as RE2 and Python read alike."""

leaf_queries = st.one_of(
    st.builds(_clause, plain_fields.filter(lambda field: field != "message"), field_values),
    st.builds(_clause, plain_fields, st.one_of(ranges, comparisons)),
    st.builds(_clause, st.sampled_from(["", "*", "message", "", "*"]), texts_to_find),
    st.builds(_clause, st.just("message"), globs),
    st.builds(_clause, plain_fields, st.just("*")),
    st.builds(lambda field: f"_exists_:{field}", plain_fields),
    st.builds(lambda field: f"_missing_:{field}", plain_fields),
    st.builds(
        lambda field, values: f"ANYCASE({field}, {', '.join(values)})",
        st.one_of(plain_fields, st.just("*")),
        st.lists(field_values, min_size=1, max_size=3),
    ),
    st.builds(
        lambda field, patterns: f"REGEX({field}, {', '.join(map(quoted, patterns))})",
        st.one_of(plain_fields, st.just("*")),
        st.lists(regexes, min_size=1, max_size=2),
    ),
    st.builds(
        lambda field, chosen: f"CIDR({field}, {', '.join(chosen)})",
        plain_fields,
        st.lists(blocks, min_size=1, max_size=3),
    ),
    st.builds(lambda field, block: f"{field}:{escaped(block)}", plain_fields, blocks),
    st.builds(lambda low, high: f"timestamp:[{low} TO {high}]", times, times),
    st.builds(
        lambda sign, bound: f"timestamp:{sign}{bound}",
        st.sampled_from([">", ">=", "<", "<=", ""]),
        times.filter(lambda t: t != "*"),
    ),
    st.builds(
        _group,
        plain_fields.filter(lambda field: field != "message"),
        st.lists(st.builds(operator.add, st.sampled_from(["", "", "-"]), field_values), min_size=1, max_size=14),
        st.sampled_from([" OR ", " "]),
    ),
    st.builds(
        _group,
        plain_fields,
        st.lists(st.one_of(ranges, comparisons), min_size=8, max_size=10),
        st.sampled_from([" OR ", " "]),
    ),
    st.builds(_group, st.just("message"), st.lists(globs, min_size=8, max_size=10), st.sampled_from([" OR ", " "])),
    st.builds(
        lambda prefix, found, separator: f"({separator.join(prefix + text for text in found)})",
        st.sampled_from(["", "*:", "message:"]),
        st.lists(texts_to_find, min_size=2, max_size=12),
        st.sampled_from([" OR ", " "]),
    ),
    st.just("*"),
)

queries = st.recursive(
    leaf_queries,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: f"({' '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: f"({' OR '.join(parts)})"),
        inner.map(lambda part: f"-({part})"),
        inner.map(lambda part: f"NOT {part}"),
    ),
    max_leaves=6,
)


ADDRESS_BLOCKS = ["10.0.0.0/8", "198.51.100.0/24", "fd00::/8", "::/0", "0.0.0.0/0"]


def queries_about(event: dict[str, Any], values: list[tuple[str, Any]]) -> st.SearchStrategy[str]:
    """Queries for what an event has: equality, its text with a wildcard in it, comparisons, words, blocks.

    `values` are the paths and scalars of its attributes.
    """
    found = [("@" + ".".join(map(quoted, path.split("."))), value) for path, value in values if all(path.split("."))]
    for name in ("host", "service", "source", "status", "trace_id"):
        held = event.get(name)
        found += [(name, value) for value in (held if isinstance(held, list) else [held]) if value is not None]
    for tag in event.get("tags", []):
        key, colon, value = tag.partition(":")
        found.append(("tags", tag))
        if key and colon:
            found.append((escaped(key), value))
    texts = [event["message"]] if event.get("message") else []
    texts += [value for path, value in values if path in ("title", "error.message") and isinstance(value, str)]
    options = [st.sampled_from(found).flatmap(lambda pair: _about_value(*pair))] if found else []
    options += [st.sampled_from(texts).flatmap(_about_text)] if texts else []
    return st.one_of(options) if options else queries


def _about_value(field: str, value: Any) -> st.SearchStrategy[str]:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    places = st.integers(0, len(text))
    options = [
        st.just(f"{field}:{quoted(text)}"),
        st.just(f"-{field}:{quoted(text)}"),
        places.map(lambda at: f"{field}:{escaped(text[:at])}*"),
        places.map(lambda at: f"{field}:*{escaped(text[at:])}"),
        places.map(lambda at: f"{field}:{escaped(text[:at])}?{escaped(text[at + 1 :])}"),
        st.just(f"{field}:>={quoted(text)}"),
        st.just(f"{field}:<{quoted(text)}"),
        st.just(f"{field}:({quoted(text)} OR x OR 1)"),
        st.sampled_from(ADDRESS_BLOCKS).map(lambda block: f"CIDR({field}, {block})"),
    ]
    if not isinstance(value, bool):
        options += [st.just(f"{field}:{sign}{escaped(text)}") for sign in (">", ">=", "<", "<=") if text]
    if _has_word(text):
        options += [st.just(f"*:{quoted(text)}"), st.just(f"*:{escaped(text)}*"), st.just(f"*:*{escaped(text[:-1])}?")]
    return st.one_of(options)


def _about_text(text: str) -> st.SearchStrategy[str]:
    places = st.integers(0, len(text))
    words = [word for word in text.split() if _has_word(word)]
    options = [
        places.map(lambda at: f"message:{escaped(text[:at].swapcase())}*"),
        places.map(lambda at: f"message:{escaped(text[:at])}?{escaped(text[at + 1 :])}"),
    ]
    for word in words:
        options += [
            st.just(quoted(word.upper())),
            st.just(f"{escaped(word[:1])}*{escaped(word[1:])}"),
            st.just(f"{escaped(word)}*"),
            st.just(f"*{escaped(word)}"),
            st.just(f"message:{quoted(word)}"),
            st.just(f"*:{quoted(word)}"),
        ]
    if len(words) > 1:
        options += [st.just(f"{escaped(words[0])}?{escaped(words[1])}"), st.just(quoted(" ".join(words[:2])))]
    return st.one_of(options)
