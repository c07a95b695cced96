"""Bodies and answers of reading signals (api.md §5)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Sort = Literal["timestamp", "-timestamp"]
Limit = Annotated[int, Field(ge=1, le=1000)]
Time = Annotated[str | int, Field(description="RFC 3339, Unix milliseconds, or date maths such as now-15m.")]


class SignalsFilter(BaseModel):
    query: str | None = None
    # `from` is a keyword of Python.
    start: Annotated[Time | None, Field(alias="from")] = None
    end: Annotated[Time | None, Field(alias="to")] = None


class SignalsPage(BaseModel):
    cursor: str | None = None
    limit: Limit = 10


class SignalsSearch(BaseModel):
    filter: SignalsFilter = SignalsFilter()
    page: SignalsPage = SignalsPage()
    sort: Sort | None = None


class Resource(BaseModel):
    """A signal, a log, or a search that leads on."""

    id: str
    type: str
    attributes: dict[str, Any]


class Links(BaseModel):
    next: str


class PageMeta(BaseModel):
    after: str


class Meta(BaseModel):
    page: PageMeta | None = None
    total: int | None = None


class SignalsAnswer(BaseModel):
    """A page; `links` and `meta` are there when more follows."""

    data: list[Resource]
    links: Links | None = None
    meta: Meta | None = None


class SignalAnswer(BaseModel):
    data: Resource


class SearchesAnswer(BaseModel):
    data: list[Resource]


class Identity(BaseModel):
    """Somebody or something that a signal is about, and the search for its logs."""

    id: Annotated[str, Field(examples=["@usr.id:bob"])]
    kind: Literal["user", "ip_address", "host", "domain", "other"]
    attribute: str
    value: str
    query: str


class EntitiesAttributes(BaseModel):
    identities: list[Identity]


class EntitiesData(BaseModel):
    id: str
    type: Literal["entities"] = "entities"
    attributes: EntitiesAttributes


class EntitiesAnswer(BaseModel):
    data: EntitiesData
