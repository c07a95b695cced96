"""Processors on lists: append, length, select, key-value, and a small pipeline per element."""

from collections.abc import Callable
from typing import Any

from tocsin.event import Event
from tocsin.normalise.paths import getter, remover, setter
from tocsin.normalise.processors.compute import Compile, arithmetic, as_text, categories, read_attribute, template
from tocsin.normalise.processors.remap import FORMATS, cast
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Process, Run

SOURCE = "$sourceElem"
TARGET = "$targetElem"


def array_processor(settings: Settings) -> Process:
    operation = settings.inner("operation")
    match operation.choice("type", ("append", "length", "select", "key-value")):
        case "append":
            return _append(operation)
        case "length":
            return _length(operation)
        case "select":
            return _select(operation)
        case _:
            return _key_value(operation)


def _append(operation: Settings) -> Process:
    source, target = operation.text("source"), operation.target()
    get, remove, get_target, write = getter(source), remover(source), getter(target), setter(target)
    preserves = operation.flag("preserve_source", True)

    def process(event: Event, run: Run) -> None:
        value = get(event.attributes)
        there = get_target(event.attributes)
        if value is None or not (there is None or isinstance(there, list)):
            return
        if not preserves:
            remove(event.attributes)
        write(event.attributes, [*(there or []), value])

    return process


def _length(operation: Settings) -> Process:
    get, write = getter(operation.text("source")), setter(operation.target())

    def process(event: Event, run: Run) -> None:
        value = get(event.attributes)
        if isinstance(value, list):
            write(event.attributes, len(value))

    return process


def _select(operation: Settings) -> Process:
    key, separator, wanted = operation.text("filter").partition(":")
    if not separator:
        raise operation.bad("filter", "write key:value")
    get, write = getter(operation.text("source")), setter(operation.target())
    read_key, extract = getter(key.strip()), getter(operation.text("value_to_extract"))
    wanted = wanted.strip().strip('"')

    def process(event: Event, run: Run) -> None:
        value = get(event.attributes)
        for element in value if isinstance(value, list) else ():
            if isinstance(element, dict) and as_text(read_key(element)) == wanted:
                found = extract(element)
                if found is not None:
                    write(event.attributes, found)
                return

    return process


def _key_value(operation: Settings) -> Process:
    get = getter(operation.text("source"))
    read_key, read_value = getter(operation.text("key_to_extract")), getter(operation.text("value_to_extract"))
    prefix = operation.target("target") + "." if operation.has("target") else ""
    overrides = operation.flag("override_on_conflict")

    def process(event: Event, run: Run) -> None:
        value = get(event.attributes)
        for element in value if isinstance(value, list) else ():
            if not isinstance(element, dict):
                continue
            name, found = as_text(read_key(element)), read_value(element)
            if not name or found is None:
                continue
            # Names come from the data: `..` or a trailing dot must not make empty keys.
            path = prefix + ".".join(part for part in name.split(".") if part)
            if path == prefix or (not overrides and getter(path)(event.attributes) is not None):
                continue
            setter(path)(event.attributes, found)

    return process


Element = dict[str, Any]
ElementStep = Callable[[Event, Element], None]
"""Reads `$sourceElem` and the event, writes `$targetElem`; both stand in the element's scratch object."""


def array_map_processor(settings: Settings, compile_filter: Compile) -> Process:
    source, target = settings.text("source"), settings.target()
    preserves = settings.flag("preserve_source", True)
    if source == target and not preserves:
        raise settings.bad("preserve_source", "cannot be false where source and target are the same list")
    steps = [_element_step(item, compile_filter) for item in settings.objects("processors")]
    if not steps:
        raise settings.bad("processors", "at least one processor is needed")
    get, remove, write = getter(source), remover(source), setter(target)

    def process(event: Event, run: Run) -> None:
        value = get(event.attributes)
        if not isinstance(value, list):
            return
        results: list[Any] = []
        attributes = event.attributes
        for element in value:
            # The element is reached as an attribute while it is worked on, so that paths and filters see it.
            attributes[SOURCE] = element
            attributes.pop(TARGET, None)
            for step in steps:
                step(event, attributes)
            made = attributes.get(TARGET)
            if made is not None:
                results.append(made)
        attributes.pop(SOURCE, None)
        attributes.pop(TARGET, None)
        if not preserves:
            remove(attributes)
        write(attributes, results)

    return process


def _element_step(settings: Settings, compile_filter: Compile) -> ElementStep:
    kind = settings.choice(
        "type", ("attribute-remapper", "string-builder-processor", "arithmetic-processor", "category-processor")
    )
    target = settings.target()
    if target != TARGET and not target.startswith(TARGET + "."):
        raise settings.bad("target", f"a processor of elements writes to {TARGET} or below it")
    write = setter(target)
    if kind == "attribute-remapper":
        sources = [(getter(name), remover(name)) for name in settings.texts("sources")]
        to = settings.choice("target_format", FORMATS, "auto")
        overrides, get_target = settings.flag("override_on_conflict"), getter(target)

        def remap(event: Event, attributes: Element) -> None:
            for get, _ in sources:
                value = get(attributes)
                if value is not None:
                    if overrides or get_target(attributes) is None:
                        write(attributes, cast(value, to))
                    return

        return remap
    if kind == "category-processor":
        cases = categories(settings, compile_filter)

        def categorise(event: Event, attributes: Element) -> None:
            for matches, name in cases:
                if matches(event):
                    write(attributes, name)
                    return

        return categorise
    replaces = settings.flag("is_replace_missing")
    compute: Callable[[Event], Any] = (
        template(settings.text("template"), replaces, read_attribute)
        if kind == "string-builder-processor"
        else arithmetic(settings.text("expression"), replaces, read_attribute, settings)
    )

    def make(event: Event, attributes: Element) -> None:
        value = compute(event)
        if value is not None:
            write(attributes, value)

    return make
