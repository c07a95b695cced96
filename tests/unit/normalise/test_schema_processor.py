"""The schema processor: mapping to OCSF, and each of the mistakes that a mapping can hold (siem.md §1.12)."""

from typing import Any

import pytest

from tocsin.event import Event
from tocsin.normalise import BadPipeline, Lookups, compile_pipeline
from tocsin.normalise.ocsf import ocsf
from tocsin.normalise.run import Run

OUTCOME = {
    "type": "schema-category-mapper",
    "name": "status",
    "categories": [
        {"filter": {"query": "@outcome:ok"}, "id": 1, "name": "Success"},
        {"filter": {"query": "@outcome:refused"}, "id": 2, "name": "Failure"},
        {"filter": {"query": "*"}, "id": 99, "name": "Other"},
    ],
    "targets": {"id": "ocsf.status_id", "name": "ocsf.status"},
    "fallback": {
        "values": {"ocsf.status_id": "99", "ocsf.status": "Other"},
        "sources": {"ocsf.status": ["missing", "outcome"]},
    },
}


def pair(name: str, number: int, caption: str) -> dict[str, Any]:
    return {
        "type": "schema-category-mapper",
        "name": name,
        "categories": [{"filter": {"query": "*"}, "id": number, "name": caption}],
        "targets": {"id": f"ocsf.{name}_id", "name": f"ocsf.{name}_name" if name == "activity" else f"ocsf.{name}"},
    }


def remap(source: str, target: str, **more: Any) -> dict[str, Any]:
    return {"type": "schema-remapper", "name": target, "sources": [source], "target": target} | more


COMPLETE = [
    pair("activity", 1, "Logon"),
    pair("severity", 1, "Informational"),
    OUTCOME,
    remap("at", "ocsf.time", target_format="integer"),
    remap("who", "ocsf.user.name", preserve_source=True),
    remap("ocsf.metadata.product.name", "ocsf.metadata.product.name"),
]


def processor(mappers: list[dict[str, Any]], uid: int = 3002, name: str = "Authentication", **more: Any) -> Any:
    schema = {"schema_type": "ocsf", "version": "1.5.0", "class_uid": uid, "class_name": name} | more
    return {"type": "schema-processor", "name": "to OCSF", "schema": schema, "mappers": mappers}


def processed(attributes: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    pipeline = compile_pipeline({"name": "p", "processors": [body]}, Lookups(), enabled_by_default=True)
    assert pipeline is not None
    event = Event("", 0, attributes=attributes)
    failures: list[Exception] = []
    Run(0, lambda _, error: failures.append(error)).all_of(pipeline.processes, event)
    assert failures == []
    return event.attributes


def mistakes(body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(BadPipeline) as caught:
        compile_pipeline({"name": "p", "processors": [body]}, Lookups(), enabled_by_default=True)
    error = caught.value
    return [(one.where.removeprefix("processors[0]."), one.code) for one in (error, *error.others)]


def test_maps_and_fills_what_follows_from_the_class() -> None:
    log = {"outcome": "refused", "at": "1700000000000", "who": "ana", "ocsf": {"metadata": {"product": {"name": "X"}}}}
    assert processed(log, processor(COMPLETE)) == {
        "outcome": "refused",
        "who": "ana",
        "ocsf": {
            "activity_id": 1,
            "activity_name": "Logon",
            "category_name": "Identity & Access Management",
            "category_uid": 3,
            "class_name": "Authentication",
            "class_uid": 3002,
            "metadata": {"product": {"name": "X"}, "version": "1.5.0"},
            "severity": "Informational",
            "severity_id": 1,
            "status": "Failure",
            "status_id": 2,
            "time": 1_700_000_000_000,
            "type_name": "Authentication: Logon",
            "type_uid": 300201,
            "user": {"name": "ana"},
        },
    }


def test_other_takes_its_caption_from_the_log() -> None:
    found = processed({"outcome": "half-open"}, processor(COMPLETE))["ocsf"]
    assert (found["status_id"], found["status"]) == (99, "half-open")
    assert processed({}, processor(COMPLETE))["ocsf"]["status"] == "Other"


@pytest.mark.parametrize(
    ("mapper", "mistake"),
    [
        (remap("a", "ocsf.user.name"), ("target", "already_added")),
        (remap("a", "ocsf.class_uid"), ("target", "already_added")),
        (remap("a", "ocsf.logon_type"), ("target", "enum_as_plain")),
        (remap("a", "ocsf.user.type_id"), ("target", "enum_as_plain")),
        (
            pair("x", 1, "X") | {"targets": {"id": "ocsf.is_mfa", "name": "ocsf.logon_type"}},
            ("targets.id", "plain_as_enum"),
        ),
        (remap("a", "ocsf.nowhere"), ("target", "unknown_attribute")),
        (remap("a", "ocsf.user.nothing"), ("target", "unknown_attribute")),
        (remap("a", "user.name"), ("target", "unknown_attribute")),
        (remap("a", "ocsf.cloud.region"), ("target", "unknown_attribute")),  # only with the profile `cloud`
    ],
)
def test_a_wrong_target_is_told_at_its_place(mapper: dict[str, Any], mistake: tuple[str, str]) -> None:
    where, code = mistake
    assert mistakes(processor([*COMPLETE, mapper])) == [(f"mappers[{len(COMPLETE)}].{where}", code)]


def test_every_mistake_is_told() -> None:
    found = mistakes(processor([*COMPLETE[:3], remap("a", "ocsf.nowhere"), remap("b", "ocsf.severity")]))
    assert [code for _, code in found] == [
        "unknown_attribute",
        "already_added",
        "missing_required",
        "missing_required",
        "missing_required",
    ]


def test_what_was_prepared_may_be_carried_over_beside_a_mapper() -> None:
    carried = [
        remap("severity_id", "ocsf.severity_id"),
        remap("ocsf.status", "ocsf.status"),
        remap("user", "ocsf.user"),
    ]
    found = processed({"severity_id": 5, "outcome": "ok"}, processor([*COMPLETE, *carried]))
    assert (found["ocsf"]["severity_id"], found["ocsf"]["status"]) == (1, "Success"), "the mapper before counts"
    prepared = processed(
        {"outcome": "ok", "logon_type": "Batch"}, processor([*COMPLETE, remap("logon_type", "ocsf.logon_type")])
    )
    assert prepared["ocsf"]["logon_type"] == "Batch"
    assert mistakes(processor([*COMPLETE, carried[0], carried[0]])) == [
        (f"mappers[{len(COMPLETE) + 1}].target", "already_added")
    ]


def test_a_profile_adds_its_attributes() -> None:
    mapper = remap("region", "ocsf.cloud.region")
    found = processed({"region": "eu-1"}, processor([*COMPLETE, mapper], profiles=["cloud"]))
    assert found["ocsf"]["cloud"] == {"region": "eu-1"}


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"uid": 9999}, "schema.class_uid"),
        ({"name": "Logon"}, "schema.class_name"),
        ({"version": "0.9"}, "schema.version"),
        ({"profiles": ["cloud", "sky"]}, "schema.profiles[1]"),
    ],
)
def test_a_wrong_class_is_told_at_its_place(more: dict[str, Any], place: str) -> None:
    assert mistakes(processor(COMPLETE, **more)) == [(place, "invalid")]


@pytest.mark.parametrize("uid", [0, 1001, 1007, 2004, 3001, 3002, 4001, 4002, 4003, 6003])
def test_required_attributes_are_attributes(uid: int) -> None:
    chosen = ocsf().of(uid, ocsf().profiles)
    assert all(name in chosen.attributes for name in chosen.required)
    assert chosen.attribute("severity_id") is not None
