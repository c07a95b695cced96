"""The pure core of `tocsin pipeline eval`: samples in, processed events out, in the shape of published pipeline tests.

Only the pipeline runs: what the intake does before and after it (reserved attributes, aliases, addresses) does not, so
that a pipeline is seen alone. A sample is taken as one that the pipeline's own filter accepts; filters of nested
pipelines decide as always.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.errors import BadRequest
from tocsin.event import Event
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.pipelines import compile_pipeline
from tocsin.normalise.reserved import read_object
from tocsin.normalise.run import Run

UNKNOWN_SOURCE = "LOGS_SOURCE"
"""What published results write in the tag `source`, where a sample does not say it."""

ARRIVED_AT = 1
"""The time of a sample that has none: published results show it where a date remapper found nothing."""

NOW = 37_000_000_000
"""March 1971, so that the same samples always give the same events: published results put a yearless date there."""

RESERVED = ("service", "host", "source")


class BadSample(BadRequest):
    """A line that is no sample."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A processor that raised: it was left behind, as it is live."""

    pipeline: str
    error: str


class Evaluation:
    """One pipeline to try samples on. `body` is a pipeline as the API has it, or a published file that holds one.

    Raises `BadPipeline`, and `BadRequest` for a pipeline that is switched off.
    """

    def __init__(self, body: Any, lookups: Lookups, now: int = NOW) -> None:
        if isinstance(body, Mapping) and isinstance(body.get("pipeline"), Mapping):
            body = body["pipeline"]
        compiled = compile_pipeline(body, lookups, enabled_by_default=True)
        if compiled is None:
            raise BadRequest("the pipeline is switched off: set is_enabled to true")
        self._pipeline = compiled
        self._now = now
        self._sources = sorted(compiled.sources or ())
        self._has_date = any(_types(body, "date-remapper"))
        self.failures: list[Failure] = []

    def lines(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """A JSON line for each JSON line, blank ones left out. Raises `BadSample` with the number of the line."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                sample = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise BadSample(f"line {number} is not JSON: {error}; write a text in quotes, or an object") from error
            yield orjson.dumps(self.result(sample, number), option=orjson.OPT_APPEND_NEWLINE)

    def result(self, sample: Any, number: int = 1) -> dict[str, Any]:
        """The processed event: `custom`, `message`, `tags`, and `service`, `status`, `timestamp`, `trace_id` if set.

        `timestamp` (Unix milliseconds) is there if the pipeline has a date remapper, `status` if a remapper set it.
        """
        event = sample_event(sample, number)
        run = Run(self._now, lambda name, error: self.failures.append(Failure(name, f"{error}")))
        run.pipeline = self._pipeline.name
        source = event.source
        if source is None and self._sources:
            event.source = self._sources[0]
        run.all_of(self._pipeline.processes, event)
        found: dict[str, Any] = {"custom": event.attributes, "message": event.message}
        if event.service is not None:
            found["service"] = event.service
        for name in ("status", "trace_id"):
            if name in run.taken:
                found[name] = getattr(event, name)
        found["tags"] = [*event.tags, f"source:{source or UNKNOWN_SOURCE}"]
        if self._has_date:
            found["timestamp"] = event.timestamp
        return found


def sample_event(sample: Any, number: int) -> Event:
    """The event that a pipeline sees of a sample. Raises `BadSample`.

    A text is the log as it is sent, read as JSON if it is an object. In an object `message` is that text, `service`,
    `host`, `source` (or `ddsource`) and `tags` are reserved attributes, and all else are attributes.
    """
    reserved: dict[str, Any] = {}
    if isinstance(sample, str):
        attributes, message = _read_text(sample)
    elif isinstance(sample, Mapping):
        rest = dict(sample)
        if "ddsource" in rest:
            rest.setdefault("source", rest.pop("ddsource"))
        for name in RESERVED:
            if isinstance(rest.get(name), str):
                reserved[name] = rest.pop(name)
        tags = rest.get("tags")
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            reserved["tags"] = rest.pop("tags")
        message = rest.pop("message", "")
        attributes, message = _read_text(message) if isinstance(message, str) else ({"message": message}, "")
        attributes = {**attributes, **rest}
    else:
        raise BadSample(f"line {number} is neither a text nor an object")
    return Event("", ARRIVED_AT, message, "", attributes=attributes, **reserved)


def _read_text(text: str) -> tuple[dict[str, Any], str]:
    """Attributes and message: those of a JSON object, whose `message` may be an object of attributes in its turn."""
    attributes = read_object(text)
    if attributes is None:
        return {}, text.strip()
    inner = attributes.get("message")
    if isinstance(inner, dict):
        return {name: value for name, value in attributes.items() if name != "message"} | inner, text
    if isinstance(inner, str):
        del attributes["message"]
        return attributes, inner
    return attributes, text


def _types(body: Any, kind: str) -> Iterator[bool]:
    for processor in body.get("processors") or ():
        if processor["type"] == kind:
            yield True
        yield from _types(processor, kind)
