"""From the description of a processor to a function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.filters import compile_filter
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.processors import arrays, compute, parse, remap, schema
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Process

Build = Callable[[Settings, "Compiler"], Process]

_BUILDERS: Mapping[str, Build] = {
    "attribute-remapper": lambda settings, _: remap.attribute_remapper(settings),
    "date-remapper": lambda settings, _: remap.date_remapper(settings),
    "status-remapper": lambda settings, _: remap.status_remapper(settings),
    "service-remapper": lambda settings, _: remap.service_remapper(settings),
    "message-remapper": lambda settings, _: remap.message_remapper(settings),
    "trace-id-remapper": lambda settings, _: remap.trace_id_remapper(settings),
    "span-id-remapper": lambda settings, _: remap.span_id_remapper(settings),
    "exclude-attribute": lambda settings, _: remap.exclude_attribute(settings),
    "grok-parser": lambda settings, it: parse.grok_parser(settings, it.lookups),
    "url-parser": lambda settings, it: parse.url_parser(settings, it.lookups),
    "user-agent-parser": lambda settings, it: parse.user_agent_parser(settings, it.lookups),
    "geo-ip-parser": lambda settings, it: parse.geo_ip_parser(settings, it.lookups),
    "decoder-processor": lambda settings, _: parse.decoder_processor(settings),
    "arithmetic-processor": lambda settings, _: compute.arithmetic_processor(settings),
    "string-builder-processor": lambda settings, _: compute.string_builder_processor(settings),
    "category-processor": lambda settings, _: compute.category_processor(settings, compile_filter),
    "lookup-processor": lambda settings, it: compute.lookup_processor(settings, it.lookups),
    "array-processor": lambda settings, _: arrays.array_processor(settings),
    "array-map-processor": lambda settings, _: arrays.array_map_processor(settings, compile_filter),
    "schema-processor": lambda settings, _: schema.schema_processor(settings, compile_filter),
}

TYPES = (*_BUILDERS, "pipeline")


@dataclass(frozen=True, slots=True)
class Compiler:
    """What is the same for all processors of a set of pipelines.

    `enabled_by_default` says what a missing `is_enabled` means: false in the API (siem.md §1.8), true in our files.
    """

    lookups: Lookups
    enabled_by_default: bool = False

    def processor(self, body: Any, where: str) -> Process | None:
        """The function of one processor that is no pipeline; None if it is switched off (but it must be valid)."""
        settings = Settings(body, where)
        kind = settings.text("type")
        build = _BUILDERS.get(kind)
        if build is None:
            raise BadPipeline(f"{where}.type", f"unknown processor '{kind}'; known are {', '.join(TYPES)}")
        process = build(settings, self)
        return process if settings.flag("is_enabled", self.enabled_by_default) else None
