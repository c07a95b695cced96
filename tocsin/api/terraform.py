"""What people have set up as Terraform resources: rules and all that acts on them (siem.md §5.3, api-more.md)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from tocsin.api.context import Services, Tocsin
from tocsin.api.paging import timestamp
from tocsin.api.rules import ZipResponse
from tocsin.api.schemas.critical_assets import AssetAttributes
from tocsin.api.schemas.security_filters import FilterAttributes
from tocsin.api.schemas.suppressions import SuppressionAttributes
from tocsin.api.schemas.terraform import (
    TerraformAttributes,
    TerraformBulkBody,
    TerraformConvertBody,
    TerraformData,
    TerraformResource,
)
from tocsin.api.security import requires
from tocsin.rule import Rule
from tocsin.rules.archive import zip_of
from tocsin.rules.terraform import resource, to_terraform

BASE = "/api/v2/security_monitoring/terraform"

router = APIRouter(prefix=BASE, tags=["terraform"])


@dataclass(frozen=True, slots=True)
class Text:
    """One resource: what people call it, and its text."""

    name: str
    output: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: its name in paths, its type in Terraform, who may read it, and how it is written.

    `stored` writes those of some ids and raises `NotFound`, `given` writes one that need not be stored.
    """

    name: str
    type_name: str
    permission: str
    stored: Callable[[Tocsin, Sequence[str]], list[Text]]
    given: Callable[[Tocsin, dict[str, Any]], Text]


_SUPPRESSION = (
    *("name", "enabled", "rule_query", "suppression_query", "data_exclusion_query"),
    *("description", "start_date", "expiration_date", "tags"),
)


def _rule(rule: Rule) -> Text:
    return Text(rule.name, to_terraform(rule))


def _suppression(body: Mapping[str, Any]) -> Text:
    members = {name: body[name] for name in _SUPPRESSION if body.get(name) not in (None, "", [])}
    for name in ("start_date", "expiration_date"):
        if name in members:
            members[name] = timestamp(members[name])
    return _written("suppression", body["name"], members)


def _filter(body: Mapping[str, Any]) -> Text:
    members = {name: body[name] for name in ("name", "query", "is_enabled")} | {"filtered_data_type": "logs"}
    if body["exclusion_filters"]:
        members["exclusion_filter"] = [
            {"name": exclusion["name"], "query": exclusion["query"]} for exclusion in body["exclusion_filters"]
        ]
    return _written("filter", body["name"], members)


def _asset(body: Mapping[str, Any]) -> Text:
    members = {name: body[name] for name in ("enabled", "query", "rule_query", "severity")}
    members |= {name: body[name] for name in ("description", "tags") if body.get(name)}
    return _written("critical_asset", body["query"], members)


def _written(kind: str, name: str, members: Mapping[str, Any]) -> Text:
    return Text(name, resource(f"datadog_security_monitoring_{kind}", name, members))


def _filters(tocsin: Tocsin, ids: Sequence[str]) -> list[Text]:
    found = [tocsin.security_filters.get(filter_id) for filter_id in ids]
    return [
        _filter(
            {
                "name": one.name,
                "query": one.query,
                "is_enabled": one.is_enabled,
                "exclusion_filters": [{"name": given.name, "query": given.query} for given in one.exclusions],
            }
        )
        for one in found
    ]


def _checked(model: type[BaseModel], body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as its own route would take it; what the API adds to it is ignored."""
    try:
        return model.model_validate(body).model_dump()
    except ValidationError as error:
        where = ("body", "data", "attributes", "resource_json")
        raise RequestValidationError([{**item, "loc": (*where, *item["loc"])} for item in error.errors()]) from error


KINDS = (
    Kind(
        "rules",
        "datadog_security_monitoring_rule",
        "security_monitoring_rules_read",
        lambda tocsin, ids: [_rule(rule) for rule in tocsin.rules.pick(ids)],
        lambda tocsin, body: _rule(tocsin.rules.check_unsaved(body)),
    ),
    Kind(
        "suppressions",
        "datadog_security_monitoring_suppression",
        "security_monitoring_suppressions_read",
        lambda tocsin, ids: [_suppression(tocsin.suppressions.get(one).body) for one in ids],
        lambda _, body: _suppression(_checked(SuppressionAttributes, body)),
    ),
    Kind(
        "security_filters",
        "datadog_security_monitoring_filter",
        "security_monitoring_filters_read",
        _filters,
        lambda _, body: _filter(_checked(FilterAttributes, body)),
    ),
    Kind(
        "critical_assets",
        "datadog_security_monitoring_critical_asset",
        "security_monitoring_critical_assets_read",
        lambda tocsin, ids: [_asset(tocsin.critical_assets.get(one).body) for one in ids],
        lambda _, body: _asset(_checked(AssetAttributes, body)),
    ),
)


def _offer(kind: Kind) -> None:
    def export(services: Services, resource_id: str) -> TerraformResource:
        (text,) = kind.stored(services, [resource_id])
        return _answer(kind, resource_id, text)

    def convert(services: Services, body: TerraformConvertBody) -> TerraformResource:
        return _answer(kind, body.data.id, kind.given(services, body.data.attributes.resource_json))

    def bulk(services: Services, body: TerraformBulkBody) -> Response:
        ids = list(dict.fromkeys(body.data.attributes.resource_ids))
        return ZipResponse(zip_of((text.name, ".tf", text.output) for text in kind.stored(services, ids)))

    what = kind.name.replace("_", " ")
    allowed = [Depends(requires(kind.permission))]
    zipped: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
    }
    router.post(
        f"/{kind.name}/convert",
        dependencies=allowed,
        name=f"convert {what}",
        description=f"Write one of the {what}, which need not be stored, as a Terraform resource.",
    )(convert)
    router.post(
        f"/{kind.name}/bulk",
        dependencies=allowed,
        responses=zipped,
        response_class=ZipResponse,
        name=f"export many {what}",
        description=f"A zip of Terraform resources, one file for each of the {what}.",
    )(bulk)
    router.get(
        f"/{kind.name}/{{resource_id}}",
        dependencies=allowed,
        name=f"export {what}",
        description=f"One of the {what} as a Terraform resource.",
    )(export)


def _answer(kind: Kind, resource_id: str, text: Text) -> TerraformResource:
    attributes = TerraformAttributes(type_name=kind.type_name, resource_id=resource_id, output=text.output)
    return TerraformResource(data=TerraformData(id=f"{kind.type_name}|{resource_id}", attributes=attributes))


for _kind in KINDS:
    _offer(_kind)
