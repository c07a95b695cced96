"""The schema processor: attributes of a log to those of a class of OCSF, checked against the schema (siem.md §1.12)."""

from collections.abc import Callable, Iterator
from typing import Any

from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.ocsf import FILLED, Kind, OcsfClass, ocsf
from tocsin.normalise.paths import getter, setter
from tocsin.normalise.processors.compute import Compile, as_text
from tocsin.normalise.processors.remap import FORMATS, attribute_to_attribute
from tocsin.normalise.processors.settings import Settings
from tocsin.normalise.run import Predicate, Process, Run

ROOT = "ocsf"
REMAPPER, CATEGORY_MAPPER = "schema-remapper", "schema-category-mapper"

ALREADY_ADDED = "already_added"
ENUM_AS_PLAIN = "enum_as_plain"
PLAIN_AS_ENUM = "plain_as_enum"
UNKNOWN_ATTRIBUTE = "unknown_attribute"
MISSING_REQUIRED = "missing_required"

_OTHER = {"id": "99", "name": "Other"}
"""What a pair resolves to when no category says more; then the caption comes from the log (`fallback`)."""


def schema_processor(settings: Settings, compile_filter: Compile) -> Process:
    """Raises `BadPipeline` with everything that is wrong with the mapping."""
    settings.text("name")
    chosen = _class(settings.inner("schema"))
    mappers = settings.objects("mappers")
    problems = list(_problems(chosen, mappers, settings))
    if problems:
        raise BadPipeline.of(problems)
    steps = tuple(
        _remapper(mapper) if mapper.text("type") == REMAPPER else _category_mapper(mapper, compile_filter)
        for mapper in mappers
    )
    fill = _filler(chosen)

    def process(event: Event, run: Run) -> None:
        for step in steps:
            step(event, run)
        fill(event)

    return process


def _class(schema: Settings) -> OcsfClass:
    known = ocsf()
    schema.choice("schema_type", (ROOT,))
    schema.choice("version", (known.version,))
    uid, profiles = schema.raw("class_uid"), schema.texts("profiles", ()) if schema.raw("profiles") else []
    if not isinstance(uid, int) or uid not in known.classes:
        names = ", ".join(f"{number} {name}" for number, name in known.classes.items())
        raise schema.bad("class_uid", f"{uid!r:.20} is no class that is known here; known are {names}")
    if schema.text("class_name") != known.classes[uid]:
        raise schema.bad("class_name", f"class {uid} is '{known.classes[uid]}'")
    for index, profile in enumerate(profiles):
        if profile not in known.profiles:
            raise schema.bad(f"profiles[{index}]", f"'{profile}' is none of {', '.join(known.profiles)}")
    return known.of(uid, profiles)


def _problems(chosen: OcsfClass, mappers: list[Settings], settings: Settings) -> Iterator[BadPipeline]:
    """The four errors of a target, then required attributes that have no source.

    What was prepared before may be carried over beside a mapper of the same target, which then counts.
    """
    added: dict[str, str] = {}
    carried: set[str] = set()
    for mapper in mappers:
        is_enum = mapper.choice("type", (REMAPPER, CATEGORY_MAPPER)) == CATEGORY_MAPPER
        for member, target in _targets(mapper, is_enum):
            path = target.removeprefix(f"{ROOT}.")
            attribute = chosen.attribute(path) if path != target else None
            if path in FILLED:
                yield mapper.bad(member, f"'{target}' is filled by the processor itself", ALREADY_ADDED)
            elif attribute is not None and not is_enum and target not in carried and _carries(mapper, path):
                carried.add(target)
            elif target in added:
                yield mapper.bad(member, f"'{target}' is already added by {added[target]}", ALREADY_ADDED)
            elif attribute is None:
                message = f"'{target}' is no attribute of {ROOT} class {chosen.uid} {chosen.name} with these profiles"
                yield mapper.bad(member, message, UNKNOWN_ATTRIBUTE)
            elif not is_enum and attribute.kind in (Kind.NUMBER, Kind.CAPTION):
                message = f"'{target}' belongs to an enumeration; map it with a {CATEGORY_MAPPER}"
                yield mapper.bad(member, message, ENUM_AS_PLAIN)
            elif is_enum and attribute.kind is not (Kind.NUMBER if member == "targets.id" else Kind.CAPTION):
                what = "the number" if member == "targets.id" else "the caption"
                message = f"'{target}' is not {what} of an enumeration; map plain attributes with a {REMAPPER}"
                yield mapper.bad(member, message, PLAIN_AS_ENUM)
            added.setdefault(target, mapper.where)
    roots = {target.removeprefix(f"{ROOT}.").split(".")[0] for target in added}
    for name in chosen.required:
        if name not in roots:
            message = f"'{ROOT}.{name}' is required in class {chosen.uid} {chosen.name} and has no mapper"
            yield settings.bad("mappers", message, MISSING_REQUIRED)


def _carries(mapper: Settings, path: str) -> bool:
    """Whether a remapper takes over what was prepared before under the attribute's own name, enumerations included."""
    return set(mapper.texts("sources")) <= {path, f"{ROOT}.{path}"}


def _targets(mapper: Settings, is_enum: bool) -> list[tuple[str, str]]:
    if not is_enum:
        return [("target", mapper.target())]
    targets = mapper.inner("targets")
    found = [(f"targets.{name}", targets.target(name)) for name in ("id", "name") if targets.has(name)]
    if not found:
        raise mapper.bad("targets", "an id, a name or both are needed")
    return found


def _remapper(mapper: Settings) -> Process:
    """As the attribute remapper; an attribute that was prepared before may be mapped onto itself."""
    mapper.text("name")
    return attribute_to_attribute(
        mapper.texts("sources"),
        mapper.target(),
        mapper.choice("target_format", FORMATS, "auto"),
        mapper.flag("preserve_source"),
        mapper.flag("override_on_conflict"),
    )


def _category_mapper(mapper: Settings, compile_filter: Compile) -> Process:
    mapper.text("name")
    targets = mapper.inner("targets")
    paths = {name: targets.target(name) for name in ("id", "name") if targets.has(name)}
    writers = {name: setter(path) for name, path in paths.items()}
    categories = _categories(mapper, compile_filter)
    fall_back = _fallback(mapper, paths) if mapper.has("fallback") else None

    def process(event: Event, run: Run) -> None:
        for matches, pair in categories:
            if matches(event):
                if fall_back is not None:
                    pair = fall_back(event, pair)
                for name, write in writers.items():
                    write(event.attributes, pair[name])
                return

    return process


def _categories(mapper: Settings, compile_filter: Compile) -> list[tuple[Predicate, dict[str, Any]]]:
    found: list[tuple[Predicate, dict[str, Any]]] = []
    for item in mapper.objects("categories"):
        number = item.raw("id")
        if not isinstance(number, int) or isinstance(number, bool):
            raise item.bad("id", "a whole number is expected")
        query = item.inner("filter").text("query", "")
        matches = compile_filter(query, f"{item.where}.filter.query")
        found.append((matches, {"id": number, "name": item.text("name")}))
    if not found:
        raise mapper.bad("categories", "at least one category is needed")
    return found


def _fallback(mapper: Settings, paths: dict[str, str]) -> Callable[[Event, dict[str, Any]], dict[str, Any]]:
    """Where the pair resolved to the values given (99 and Other), a source attribute takes the place of a value."""
    fallback = mapper.inner("fallback")
    given = fallback.raw("values") or {}
    listed = fallback.raw("sources") or {}
    if not isinstance(given, dict) or not isinstance(listed, dict):
        raise mapper.bad("fallback", "values and sources are objects by target")
    for target in (*given, *listed):
        if target not in paths.values():
            raise mapper.bad("fallback", f"'{target}' is no target of this mapper")
    wanted = {name: str(given.get(path, _OTHER[name])) for name, path in paths.items()}
    sources = {
        name: [getter(str(source)) for source in listed[path]]
        for name, path in paths.items()
        if isinstance(listed.get(path), list)
    }

    def fall_back(event: Event, pair: dict[str, Any]) -> dict[str, Any]:
        if not any(str(pair[name]) == value for name, value in wanted.items()):
            return pair
        made = dict(pair)
        for name, gets in sources.items():
            for get in gets:
                value = as_text(get(event.attributes))
                if value:
                    made[name] = value
                    break
        return made

    return fall_back


def _filler(chosen: OcsfClass) -> Callable[[Event], None]:
    """Class, category, type and version: what follows from the class that was chosen."""
    fixed = [
        (setter(f"{ROOT}.{name}"), value)
        for name, value in (
            ("class_uid", chosen.uid),
            ("class_name", chosen.name),
            ("category_uid", chosen.category_uid),
            ("category_name", chosen.category_name),
            ("metadata.version", ocsf().version),
        )
    ]
    activity, caption = getter(f"{ROOT}.activity_id"), getter(f"{ROOT}.activity_name")
    write_type, write_type_name = setter(f"{ROOT}.type_uid"), setter(f"{ROOT}.type_name")

    def fill(event: Event) -> None:
        attributes = event.attributes
        for write, value in fixed:
            write(attributes, value)
        number, name = activity(attributes), caption(attributes)
        if isinstance(number, int):
            write_type(attributes, chosen.uid * 100 + number)
            if isinstance(name, str):
                write_type_name(attributes, f"{chosen.name}: {name}")

    return fill
