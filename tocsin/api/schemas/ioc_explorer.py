"""The explorer of indicators: bodies and answers (api.md §9)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.api.paging import timestamp
from tocsin.enrich.indicators import INTENTIONS
from tocsin.threat_intel.explorer import Ioc, IocDetail
from tocsin.threat_intel.triage_repository import Triage, id_of

Effect = Literal["RAISE_SCORE", "LOWER_SCORE", "NO_EFFECT"]
State = Literal["not_reviewed", "reviewed"]
SortColumn = Literal[
    "score",
    "first_seen_ts_epoch",
    "last_seen_ts_epoch",
    "indicator",
    "indicator_type",
    "signal_count",
    "log_count",
    "category",
    "as_type",
]


class IocSource(BaseModel):
    name: str


class IocGeo(BaseModel):
    city: str = ""
    country_code: str = ""
    country_name: str = ""


class IocItem(BaseModel):
    """`first_seen` is in the feeds, `last_seen` in the logs; `log_matches` and `signal_matches` are of 30 days."""

    id: str
    indicator: str
    indicator_type: str
    score: float
    categories: list[str]
    tags: list[str]
    first_seen: str
    last_seen: str
    log_matches: int
    signal_matches: int
    as_type: str
    as_geo: IocGeo
    malicious_sources: list[IocSource] | None
    suspicious_sources: list[IocSource] | None
    benign_sources: list[IocSource] | None
    unknown_sources: list[IocSource] | None
    m_sources: Effect
    m_persistence: Effect
    m_signal: Effect
    m_as_type: Effect
    triage_state: State
    triaged_at: str | None = None
    triaged_by: str | None = None


class SeverityCount(BaseModel):
    severity: str
    count: int


class TriageEvent(BaseModel):
    triage_state: State
    triaged_at: str
    triaged_by: str


class IocDetailItem(IocItem):
    as_number: str
    as_organization: str
    hosts: list[str]
    services: list[str]
    log_sources: list[str]
    users: dict[str, list[str]]
    signal_severity: list[SeverityCount]
    additional_data: dict[str, Any]
    triage_history: list[TriageEvent] | None = None


class Count(BaseModel):
    count: int


class Offset(BaseModel):
    offset: int


class IocListAttributes(BaseModel):
    data: list[IocItem]
    metadata: Count
    paging: Offset


class IocListData(BaseModel):
    id: str
    type: Literal["ioc_explorer_response"] = "ioc_explorer_response"
    attributes: IocListAttributes


class IocListAnswer(BaseModel):
    data: IocListData


class IocFacetValue(BaseModel):
    value: str
    count: int


class IocFacet(BaseModel):
    """How many indicators have each value; all values."""

    name: str
    values: list[IocFacetValue]


class IocFacetsAnswer(BaseModel):
    data: list[IocFacet]


class IocDetailAttributes(BaseModel):
    data: IocDetailItem


class IocDetailData(BaseModel):
    id: str
    type: Literal["get_indicator_response"] = "get_indicator_response"
    attributes: IocDetailAttributes


class IocDetailAnswer(BaseModel):
    data: IocDetailData


class TriageAsked(BaseModel):
    indicator: Annotated[str, Field(min_length=1, max_length=4_000)]
    triage_state: State


class TriageData(BaseModel):
    type: Literal["ioc_triage_state"] = "ioc_triage_state"
    attributes: TriageAsked


class TriageBody(BaseModel):
    data: TriageData


class TriageMade(BaseModel):
    indicator: str
    triage_state: State
    triaged_at: str
    triaged_by: str
    created_at: str


class TriageMadeData(BaseModel):
    id: str
    type: Literal["ioc_triage_state"] = "ioc_triage_state"
    attributes: TriageMade


class IocTriageAnswer(BaseModel):
    data: TriageMadeData


def _common(ioc: Ioc) -> dict[str, Any]:
    seen, place, score = ioc.sighting, ioc.place, ioc.score
    country, city = place.get("country", {}), place.get("city", {})
    geo = IocGeo(
        city=city.get("name", ""), country_code=country.get("iso_code", ""), country_name=country.get("name", "")
    )
    sources = {
        f"{intention}_sources": [IocSource(name=name) for name in seen.said[intention]]
        if intention in seen.said
        else None
        for intention in INTENTIONS
    }
    shown = {
        "id": ioc.id,
        "indicator": seen.indicator,
        "indicator_type": seen.type,
        "score": float(score.value),
        "categories": list(seen.categories),
        "tags": [str(label) for label in seen.data.get("labels", ())]
        if isinstance(seen.data.get("labels"), list)
        else [],
        "first_seen": timestamp(ioc.first_seen),
        "last_seen": timestamp(seen.last_at),
        "log_matches": seen.logs,
        "signal_matches": ioc.signals,
        "as_type": ioc.as_type,
        "as_geo": geo,
        "m_sources": score.sources,
        "m_persistence": score.persistence,
        "m_signal": score.signal,
        "m_as_type": score.as_type,
        "triage_state": ioc.state,
        **sources,
    }
    if ioc.triage is not None:
        shown |= {"triaged_at": timestamp(ioc.triage.changed_at), "triaged_by": ioc.triage.changed_by}
    return shown


def facets_answer(facets: Mapping[str, Sequence[tuple[str, int]]]) -> IocFacetsAnswer:
    return IocFacetsAnswer(
        data=[
            IocFacet(name=name, values=[IocFacetValue(value=value, count=count) for value, count in values])
            for name, values in facets.items()
        ]
    )


def ioc_item(ioc: Ioc) -> IocItem:
    return IocItem.model_validate(_common(ioc))


def detail_item(detail: IocDetail, *, with_history: bool) -> IocDetailItem:
    """With the places where it occurred."""
    seen, system = detail.ioc.sighting, detail.ioc.place.get("as", {})
    users = {"usr.id": list(seen.user_ids), "usr.name": list(seen.user_names)}
    history = [
        TriageEvent.model_validate(
            {"triage_state": entry.state, "triaged_at": timestamp(entry.at), "triaged_by": entry.by}
        )
        for entry in detail.history
    ]
    shown_history = {"triage_history": history} if with_history else {}
    return IocDetailItem.model_validate(
        {
            **_common(detail.ioc),
            "as_number": str(system.get("number", "")),
            "as_organization": str(system.get("name", "")),
            "hosts": list(seen.hosts),
            "services": list(seen.services),
            "log_sources": list(seen.sources),
            "users": {name: found for name, found in users.items() if found},
            "signal_severity": [SeverityCount(severity=name, count=count) for name, count in detail.severities],
            "additional_data": dict(seen.data),
            **shown_history,
        }
    )


def triage_answer(made: Triage) -> IocTriageAnswer:
    """What was decided, and by whom."""
    attributes = TriageMade.model_validate(
        {
            "indicator": made.indicator,
            "triage_state": made.state,
            "triaged_at": timestamp(made.changed_at),
            "triaged_by": made.changed_by,
            "created_at": timestamp(made.created_at),
        }
    )
    return IocTriageAnswer(data=TriageMadeData(id=id_of(made.indicator), attributes=attributes))
