"""Remappers: an attribute or tag to another, and attributes to reserved attributes."""

from typing import Any

from tocsin.event import Event
from tocsin.normalise.dates import read_date
from tocsin.normalise.grok.matchers import to_integer
from tocsin.normalise.paths import Getter, copied, getter, offerer, remover, setter
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Process, Run
from tocsin.normalise.status import status_of

FORMATS = ("auto", "string", "integer", "double")
KINDS = ("attribute", "tag")


def cast(value: Any, to: str) -> Any:
    """The value in a format; as it is where it has none of that format."""
    if isinstance(value, dict | list):
        return value
    match to:
        case "string":
            if isinstance(value, bool):
                return "true" if value else "false"
            return value if isinstance(value, str) else str(value)
        case "integer":
            if isinstance(value, str):
                whole = to_integer(value.strip())
                return value if whole is None else whole
            return int(value) if isinstance(value, float) and abs(value) < 2**63 else value
        case "double":
            try:
                return value if isinstance(value, bool) else float(value)
            except ValueError:
                return value
        case _:
            return value


def attribute_remapper(settings: Settings) -> Process:
    from_tag = settings.choice("source_type", KINDS, "attribute") == "tag"
    to_tag = settings.choice("target_type", KINDS, "attribute") == "tag"
    to = settings.choice("target_format", FORMATS, "auto")
    if to != "auto" and to_tag:
        raise settings.bad("target_format", "only attributes have a format, tags are texts")
    names = settings.texts("sources")
    target = settings.target()
    preserves = settings.flag("preserve_source")
    overrides = settings.flag("override_on_conflict")
    if not from_tag and not to_tag:
        return attribute_to_attribute(names, target, to, preserves, overrides)

    sources = [(name, getter(name), remover(name)) for name in names]
    get_target, set_target = getter(target), setter(target)
    prefix = f"{target.lower()}:"

    def process(event: Event, run: Run) -> None:
        for name, get, remove in sources:
            values = _tag_values(event, name) if from_tag else _scalars(get(event.attributes))
            if not values:
                continue
            if to_tag:
                if not overrides and any(tag.startswith(prefix) for tag in event.tags):
                    return
                kept = [tag for tag in event.tags if not tag.startswith(prefix)]
                event.tags = list(dict.fromkeys([*kept, *(f"{prefix}{str(value).lower()}" for value in values)]))
            else:
                if not overrides and get_target(event.attributes) is not None:
                    return
                cast_values = [cast(value, to) for value in values]
                if not set_target(event.attributes, cast_values[0] if len(cast_values) == 1 else cast_values):
                    return
            if not preserves:
                if from_tag:
                    event.tags = [tag for tag in event.tags if not tag.startswith(f"{name.lower()}:")]
                else:
                    remove(event.attributes)
            return

    return process


def attribute_to_attribute(names: list[str], target: str, to: str, preserves: bool, overrides: bool) -> Process:
    """The first source that is present, cast `to` a format, at the target."""
    sources = [(getter(name), remover(name), name == target) for name in names]
    get_target, set_target = getter(target), setter(target)
    if preserves and not overrides and to == "auto" and target not in names:
        gets, offer = [getter(name) for name in names], offerer(target)

        def copy(event: Event, run: Run) -> None:
            attributes = event.attributes
            for get in gets:
                value = get(attributes)
                if value is not None:
                    kind = type(value)
                    offer(attributes, copied(value) if kind is dict or kind is list else value)
                    return

        return copy

    def process(event: Event, run: Run) -> None:
        attributes = event.attributes
        for get, remove, is_target in sources:
            value = get(attributes)
            if value is None:
                continue
            if is_target:
                if to != "auto":
                    set_target(attributes, cast(value, to))
                return
            if not overrides and get_target(attributes) is not None:
                # What published pipelines show: the target stands, and the source goes all the same.
                if not preserves:
                    remove(attributes)
                return
            if to != "auto":
                value = cast(value, to)
            if preserves:
                set_target(attributes, copied(value))
                return
            # Take the value away first: the target may lie below its own source.
            remove(attributes)
            set_target(attributes, value)
            return

    return process


def _tag_values(event: Event, key: str) -> list[str]:
    prefix = f"{key.lower()}:"
    return [tag[len(prefix) :] for tag in event.tags if tag.startswith(prefix)]


def _scalars(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if item is not None and not isinstance(item, dict | list)]


def _first(sources: list[Getter], event: Event) -> Any:
    for get in sources:
        value = get(event.attributes)
        if value is not None:
            return value
    return None


def date_remapper(settings: Settings) -> Process:
    """Numbers are milliseconds here, as published pipelines show; seconds are made so by arithmetic before."""
    sources = [getter(name) for name in settings.texts("sources")]

    def process(event: Event, run: Run) -> None:
        if "date" in run.taken:
            return
        for get in sources:
            value = get(event.attributes)
            if value is None:
                continue
            ms = read_date(value, run.now, is_ms=True)
            if ms is not None:
                event.timestamp = ms
                run.taken.add("date")
                return

    return process


def status_remapper(settings: Settings) -> Process:
    sources = [getter(name) for name in settings.texts("sources")]

    def process(event: Event, run: Run) -> None:
        if "status" in run.taken:
            return
        status = status_of(_first(sources, event))
        if status is not None:
            event.status = status
            run.taken.add("status")

    return process


def service_remapper(settings: Settings) -> Process:
    """The service that the envelope named stays, if it named one, unless a remapper says otherwise."""
    sources = [getter(name) for name in settings.texts("sources")]

    def process(event: Event, run: Run) -> None:
        if "service" in run.taken:
            return
        found = _scalars(_first(sources, event))
        if found:
            event.service = str(cast(found[0], "string"))
            run.taken.add("service")

    return process


def message_remapper(settings: Settings) -> Process:
    """The text moves: it is not kept as an attribute too."""
    sources = [(getter(name), remover(name)) for name in settings.texts("sources", ("msg",))]

    def process(event: Event, run: Run) -> None:
        if "message" in run.taken:
            return
        for get, remove in sources:
            value = get(event.attributes)
            if value is None or isinstance(value, dict | list):
                continue
            event.message = str(cast(value, "string"))
            remove(event.attributes)
            run.taken.add("message")
            return

    return process


def trace_id_remapper(settings: Settings) -> Process:
    sources = [(getter(name), remover(name)) for name in settings.texts("sources", ("dd.trace_id",))]

    def process(event: Event, run: Run) -> None:
        if "trace_id" in run.taken:
            return
        for get, remove in sources:
            value = get(event.attributes)
            if isinstance(value, str | int) and not isinstance(value, bool):
                event.trace_id = str(value)
                remove(event.attributes)
                run.taken.add("trace_id")
                return

    return process


def span_id_remapper(settings: Settings) -> Process:
    """Logs have no reserved span; it is kept as the attribute `span_id`."""
    sources = [(getter(name), remover(name)) for name in settings.texts("sources", ("dd.span_id",))]

    def process(event: Event, run: Run) -> None:
        if "span_id" in run.taken:
            return
        for get, remove in sources:
            value = get(event.attributes)
            if isinstance(value, str | int) and not isinstance(value, bool):
                remove(event.attributes)
                event.attributes["span_id"] = str(value)
                run.taken.add("span_id")
                return

    return process


def exclude_attribute(settings: Settings) -> Process:
    remove = remover(settings.text("attribute_to_exclude"))
    return lambda event, run: remove(event.attributes)
