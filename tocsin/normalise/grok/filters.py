"""What `%{…:path:filter(…)}` makes of an extracted text. None means: nothing is written."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_plus
from xml.etree import ElementTree

import orjson

from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok.matchers import to_integer, to_number
from tocsin.normalise.grok.ruby_hash import read_ruby_hash
from tocsin.normalise.limits import WRITABLE, writable
from tocsin.normalise.lookups import Lookups

Filter = Callable[[Any], Any]

_XML_DEPTH = 20


def filter_of(name: str, params: Sequence[str], lookups: Lookups, where: str) -> Filter:
    """The function of a filter. Raises `BadPipeline` for an unknown name or wrong parameters."""
    match name:
        case "number":
            return _on_text(to_number)
        case "integer":
            return _on_text(to_integer)
        case "boolean":
            return _on_text(lambda text: text.strip().lower() == "true")
        case "nullIf":
            null = _one(params, 'nullIf("-")', where)
            return lambda value: None if value == null else value
        case "json":
            return _on_text(_json)
        case "rubyhash":
            return _on_text(read_ruby_hash)
        case "useragent":
            return _on_text(
                lambda text: lookups.user_agent(unquote_plus(text) if params == ["decodeuricomponent"] else text)
            )
        case "url":
            return _on_text(lookups.url)
        case "querystring":
            return _on_text(query_string)
        case "decodeuricomponent":
            return _on_text(unquote_plus)
        case "lowercase":
            return _on_text(str.lower)
        case "uppercase":
            return _on_text(str.upper)
        case "keyvalue":
            return _on_text(_key_value(params, where))
        case "xml":
            return _on_text(_xml)
        case "csv":
            return _on_text(_csv(params, where))
        case "scale":
            factor = to_number(_one(params, "scale(1000)", where))
            if factor is None:
                raise BadPipeline(where, f"scale needs a number, not '{params[0]}'")
            return lambda value: _scale(value, factor)
        case _:
            raise BadPipeline(where, f"unknown filter '{name}'")


def _on_text(function: Callable[[str], Any]) -> Filter:
    return lambda value: function(value) if isinstance(value, str) else value


def _one(params: Sequence[str], example: str, where: str) -> str:
    if len(params) != 1:
        raise BadPipeline(where, f"the filter takes one parameter, such as {example}")
    return params[0]


def _json(text: str) -> Any:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    # The text may have been decoded: then the record itself shows nothing of its depth (`limits.may_break`).
    return writable(value) if text.count("{") + text.count("[") > WRITABLE else value


def _scale(value: Any, factor: float) -> Any:
    number = to_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        return value
    scaled = number * factor
    return int(scaled) if isinstance(scaled, float) and scaled.is_integer() and abs(scaled) < 2**53 else scaled


def query_string(text: str) -> dict[str, Any]:
    """A decoded query string; a repeated key becomes a list (siem.md §1.11)."""
    found: dict[str, Any] = {}
    for key, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True, max_num_fields=1000):
        if key in found:
            earlier = found[key]
            found[key] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            found[key] = value
    return found


QUOTED_CHARACTERS = 4_000
"""Longest value in quotes that `keyvalue` takes."""

_QUOTES = {'"': '"', "'": "'", "<": ">"}


def _key_value(params: Sequence[str], where: str) -> Callable[[str], dict[str, Any] | None]:
    """`keyvalue([separator[, more characters in values[, quotes[, delimiter]]]])`."""
    if len(params) > 4:
        raise BadPipeline(where, "keyvalue takes at most four parameters")
    separator, allowed, quoting, delimiter = (*params, *("=", "", "", "")[len(params) :])
    separator = separator or "="
    quotes = {quoting[0]: quoting[-1]} if quoting else _QUOTES
    if delimiter:
        stop, before = re.escape(delimiter), rf"(?<={re.escape(delimiter)})|(?<=\s)"
    else:
        ends = "".join(re.escape(end) for end in " \t\r\n,;" if end not in allowed)
        stop, before = f"[{ends}]" if ends else r"\Z", r"(?<=[\s,;])"
    # What a quote encloses is bounded, and a key starts only after a delimiter: no text takes more than linear time.
    quoted = "|".join(
        f"{re.escape(start)}(?P<q{number}>[^{re.escape(end)}]{{0,{QUOTED_CHARACTERS}}}){re.escape(end)}"
        for number, (start, end) in enumerate(quotes.items())
    )
    key = r"[\w.\-@/$#%]+|\"[^\"]{1,200}\"|<[^>]{1,200}>"
    blank = r"\s?" if separator.strip() != separator or delimiter else ""
    pair = re.compile(
        rf"(?:\A|{before})(?P<key>{key}){blank}{re.escape(separator.strip() or separator)}{blank}"
        rf"(?:{quoted}|(?P<plain>(?:(?!{stop}).)*))(?={stop}|\Z)",
        re.DOTALL,
    )

    def read(text: str) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        at = 0
        while match := pair.search(text, at):
            at = max(match.end(), match.start() + 1)
            name = match["key"].strip('"<>')
            plain = match["plain"]
            value: Any = plain
            if plain is None:
                value = next(text for label, text in match.groupdict().items() if label[0] == "q" and text is not None)
            else:
                plain = plain.strip()
                value = _typed(plain)
            if value is None or value == "":
                continue
            if name in found:
                earlier = found[name]
                value = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
            found[name] = value
        return found or None

    return read


_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d+)?")


def _typed(text: str) -> Any:
    if text == "null":
        return None
    if text in ("true", "false"):
        return text == "true"
    return to_number(text) if _PLAIN_NUMBER.fullmatch(text) else text


def _xml(text: str) -> dict[str, Any] | None:
    # A document type could define entities that expand without bound; logs have no need of one.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except (ElementTree.ParseError, ValueError):
        return None
    return {_local(root.tag): _element(root, _XML_DEPTH)}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _element(node: ElementTree.Element, depth: int) -> Any:
    body: dict[str, Any] = {_local(name): value for name, value in node.attrib.items()}
    for child in node if depth else ():
        name, value = _local(child.tag), _element(child, depth - 1)
        if name in body:
            earlier = body[name]
            value = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        body[name] = value
    text = (node.text or "").strip()
    if not body:
        return text
    if text:
        body["value"] = text
    return body


def _csv(params: Sequence[str], where: str) -> Callable[[str], dict[str, Any] | None]:
    if not 1 <= len(params) <= 3:
        raise BadPipeline(where, 'csv needs headers, such as csv("first,last"[, separator[, quote]])')
    separator = {"tab": "\t", "\\t": "\t"}.get(params[1], params[1]) if len(params) > 1 else ","
    quote = params[2] if len(params) > 2 else '"'
    if len(separator) != 1 or len(quote) != 1:
        raise BadPipeline(where, "separator and quote of csv are one character each")
    headers = [header.strip() for header in params[0].split(separator if separator in params[0] else ",")]

    def read(text: str) -> dict[str, Any] | None:
        try:
            row = next(csv.reader([text], delimiter=separator, quotechar=quote))
        except (csv.Error, StopIteration):
            return None
        values = {name: _typed(value) for name, value in zip(headers, row, strict=False) if name}
        return {name: value for name, value in values.items() if value not in (None, "")} or None

    return read


def array(params: Sequence[str], sub: Filter | None, where: str) -> Filter:
    """`array([[brackets, ]separator][, filter])`: `array("[]", ",")`."""
    if len(params) > 2:
        raise BadPipeline(where, 'array takes brackets and a separator: array("[]",",")')
    brackets = params[0] if len(params) == 2 else "[]"
    separator = params[-1] if params else ","
    separator = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}.get(separator, separator)

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = value.strip()
        if brackets:
            if not (text.startswith(brackets[0]) and text.endswith(brackets[-1])) or len(text) < 2:
                if len(params) == 2:
                    return value  # the brackets that were asked for are not there: leave the text as it is
            else:
                text = text[1:-1]
        parts: list[Any] = [part.strip().strip("\"'") for part in text.split(separator)] if text else []
        if sub is not None:
            parts = [made for part in parts if (made := sub(part)) is not None]
        return parts

    return read
