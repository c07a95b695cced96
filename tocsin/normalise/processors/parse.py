"""Processors that take a text apart: grok, URL, user agent, place of an address, decoding."""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from tocsin.event import Event
from tocsin.normalise.grok import compile_grok
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.paths import getter, setter
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Process, Run

SAMPLES = 5
SAMPLE_CHARACTERS = 5_000


def grok_parser(settings: Settings, lookups: Lookups) -> Process:
    rules = settings.inner("grok")
    samples = settings.raw("samples") or []
    if not isinstance(samples, list) or len(samples) > SAMPLES:
        raise settings.bad("samples", f"a list of at most {SAMPLES} texts is expected")
    if any(not isinstance(sample, str) or len(sample) > SAMPLE_CHARACTERS for sample in samples):
        raise settings.bad("samples", f"a sample is a text of at most {SAMPLE_CHARACTERS} characters")
    grok = compile_grok(rules.text("match_rules"), rules.text("support_rules", ""), lookups, rules.where)
    source = settings.text("source", "message")
    get = getter(source)
    reads_message = source == "message"

    def process(event: Event, run: Run) -> None:
        text = get(event.attributes)
        if text is None and reads_message:
            text = event.message
        if not isinstance(text, str) or not text:
            return
        grok.apply(text, run.now, event.attributes)

    return process


def url_parser(settings: Settings, lookups: Lookups) -> Process:
    strips = settings.flag("normalize_ending_slashes")

    def parse(text: str) -> dict[str, Any]:
        found = lookups.url(text)
        path = found.get("path")
        if strips and isinstance(path, str) and len(path) > 1:
            found["path"] = path.rstrip("/") or "/"
        return found

    return _parser(settings, "http.url", "http.url_details", parse)


def user_agent_parser(settings: Settings, lookups: Lookups) -> Process:
    is_encoded = settings.flag("is_encoded")
    parse = lookups.user_agent
    if is_encoded:
        return _parser(
            settings, "http.useragent", "http.useragent_details", lambda text: lookups.user_agent(unquote_plus(text))
        )
    return _parser(settings, "http.useragent", "http.useragent_details", parse)


def _parser(settings: Settings, source: str, target: str, parse: Callable[[str], dict[str, Any]]) -> Process:
    sources = [getter(name) for name in settings.texts("sources", (source,))]
    write = setter(settings.target("target", target))

    def process(event: Event, run: Run) -> None:
        for get in sources:
            text = get(event.attributes)
            if isinstance(text, str):
                write(event.attributes, parse(text))
                return

    return process


def geo_ip_parser(settings: Settings, lookups: Lookups) -> Process:
    """An unknown or private address gives an empty object; so does a value that is no address (siem.md §1.9)."""
    sources = [getter(name) for name in settings.texts("sources", ("network.client.ip",))]
    write = setter(settings.target("target", "network.client.geoip"))

    def process(event: Event, run: Run) -> None:
        for get in sources:
            value = get(event.attributes)
            if isinstance(value, list):
                value = next((item for item in value if isinstance(item, str)), None)
            if isinstance(value, str):
                write(event.attributes, lookups.place(value))
                return

    return process


def decoder_processor(settings: Settings) -> Process:
    get, write = getter(settings.text("source")), setter(settings.target())
    is_base64 = settings.choice("binary_to_text_encoding", ("base64", "base16")) == "base64"
    to_integer = settings.choice("input_representation", ("utf_8", "integer")) == "integer"

    def process(event: Event, run: Run) -> None:
        text = get(event.attributes)
        if not isinstance(text, str):
            return
        try:
            data = _base64(text) if is_base64 else bytes.fromhex(text.strip().removeprefix("0x"))
            value: Any = int.from_bytes(data, "big") if to_integer else data.decode()
        except (ValueError, binascii.Error):
            return
        if isinstance(value, str) or value < 2**63:
            write(event.attributes, value)

    return process


def _base64(text: str) -> bytes:
    """Standard and URL-safe alphabet, with or without padding."""
    plain = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
