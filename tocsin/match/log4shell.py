"""Log4Shell (CVE-2021-44228): texts that make an old Log4j look something up by JNDI (siem.md §2.21).

`${jndi:ldap://host/x}` is seldom sent as it is. Lookups are nested in its name (`${${lower:j}ndi:…}`,
`${${::-j}ndi:…}`), and requests are encoded, once or several times. So a text is decoded as servers do, and its lookups
are resolved as Log4j resolves them, from within; what is looked for is one whose name is then `jndi`.

The time is linear in the text: each part of it is taken once into the lookup that it stands in, and of what a lookup
becomes no more than `KEPT` characters are handed on, since only the beginning of a name matters.
"""

import base64
import binascii
import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from urllib.parse import unquote

import orjson

from tocsin.event import Event
from tocsin.match.full_text import FullText
from tocsin.query.tree import ANY, FULL, AnyCase, Leaf
from tocsin.query.values import Scalar, flatten, whole_text
from tocsin.rule import HARDCODED, Rule

DECODINGS = 3
"""Rounds of decoding; who decodes more often than a proxy, a server and an application do, attacks nobody."""

KEPT = 200
"""Characters of a name, and of a default, that are kept."""

_NAME = "jndi:"

_TOKEN = re.compile(r"\$\{|\}")

_MAYBE = re.compile(r"\$\{|%(?:25)*(?:2[46]|5[cC]|7[bB])|&#|&dollar|&lbrace|&lcub|[\\%][ux]0*(?:2[456]|5[cC]|7[bB])")
"""A text without any of these holds no lookup, however it is decoded."""

MARKS: tuple[Leaf, ...] = tuple(
    AnyCase(FULL, (ANY, mark, ANY))
    for mark in (
        *("${", "%24", "%25", "%26", "%5c", "%7b", "&#", "&dollar", "&lbrace", "&lcub"),
        *(f"{escape}{base}{digit}" for escape in "%\\" for base in "ux" for digit in "0257"),
    )
)
"""How each of these begins, as clauses: an event for which none is true holds no lookup, and the matcher looks for them
together with all else that rules look for everywhere."""

_ESCAPE = re.compile(r"[\\%](?:u00|x)([0-7][0-9a-fA-F])")


def recognise(event: Event, found: Mapping[str, Sequence[Scalar]] | None = None) -> list[str]:
    """Where an event holds such a lookup and what it is, as JSON: `attribute` (a path, or `message`) and `lookup`, the
    text without its disguise. Empty if there is none. `found` is the flattened event, if it is at hand."""
    values = flatten(event.attributes) if found is None else found
    if not _is_marked(event, values):
        return []
    texts = chain(
        ((f"@{path}", value) for path, several in values.items() for value in several if isinstance(value, str)),
        (("host", event.host or ""), ("message", event.message), ("service", event.service or "")),
    )
    # The least of several, since the order of attributes is not kept with an event. `@` comes before all letters.
    held = min(((path, lookup) for path, text in texts if (lookup := jndi_lookup(text)) is not None), default=None)
    return [] if held is None else [orjson.dumps({"attribute": held[0], "lookup": whole_text(held[1])}).decode()]


def _is_marked(event: Event, values: Mapping[str, Sequence[Scalar]]) -> bool:
    """One look at everything, which for most events is the last: a tenth of what looking at each text costs."""
    return bool(_marks().possible((event.host, event.message, event.service), values.values()))


@cache
def _marks() -> FullText:
    return FullText({mark: (0, lambda _value: True) for mark in MARKS})


def recognises(rule: Rule) -> bool:
    """Whether only such events are matches of the rule."""
    return rule.options.detection_method == HARDCODED


def jndi_lookup(text: str) -> str | None:
    """The first JNDI lookup that a text holds, undisguised and cut to `KEPT` characters; None if there is none."""
    for _ in range(DECODINGS + 1):
        if _MAYBE.search(text) is None:
            return None
        if (lookup := _resolved(text)) is not None:
            return lookup
        decoded = html.unescape(_ESCAPE.sub(_character, unquote(text)))
        if decoded == text:
            return None
        text = decoded
    return None


class _Lookup:
    """One that is being read: `name` up to the first `:-`, and behind it the `default`."""

    __slots__ = ("default", "last", "name")

    def __init__(self) -> None:
        self.name = ""
        self.default: str | None = None
        self.last = ""

    def take(self, text: str) -> None:
        """A part of its text, or what a lookup within it has become."""
        if self.default is None:
            text = self.last + text
            at = text.find(":-")
            known = len(self.last)
            self.last = text[-1:]
            self.name += text[known : max(at, known) if at >= 0 else None][: KEPT - len(self.name)]
            if at < 0:
                return
            if at < known:  # its colon came with the part before
                self.name = self.name.removesuffix(":")
            self.default, text = "", text[at + 2 :]
        self.default += text[: KEPT - len(self.default)]

    @property
    def is_jndi(self) -> bool:
        return self.name[: len(_NAME)].lower() == _NAME

    def value(self) -> str:
        """What Log4j puts in its place, as far as that does not depend on the machine."""
        kind, _, key = self.name.partition(":")
        match kind.lower():
            case "lower":
                return key.lower()
            case "upper":
                return key.upper()
            case "date":
                return key.replace("'", "")
            case "base64":
                return _base64(key)
        return "?" if self.default is None else self.default


def _resolved(text: str) -> str | None:
    within: list[_Lookup] = []
    at = 0
    while True:
        if not within:
            begin = text.find("${", at)
            if begin < 0:
                return None
            within.append(_Lookup())
            at = begin + 2
        lookup, token = within[-1], _TOKEN.search(text, at)
        end = token.start() if token else len(text)
        lookup.take(text[at:end])
        if lookup.is_jndi:  # whether it ends or not: logs are cut
            return (
                "${" + lookup.name + (text[end : end + 1] if text[end : end + 1] == "}" else text[end : end + KEPT])
            )[:KEPT]
        if token is None:
            return None
        at = token.end()
        if token[0] == "${":
            within.append(_Lookup())
            continue
        value = within.pop().value()
        if "${" in value and (inner := _resolved(value)) is not None:
            return inner
        if within:
            within[-1].take(value)


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _base64(text: str) -> str:
    whole = text[: len(text) // 4 * 4]  # it may have been cut
    try:
        return base64.b64decode(whole, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return "?"
