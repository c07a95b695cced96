"""Bodies and answers about content packs and sample logs (siem.md §1.16, §1.17)."""

from typing import Literal

from pydantic import BaseModel

from tocsin.content_packs.states import Activation, Integration, Seen, Status


class LogsDetails(BaseModel):
    type: Literal["logs"] = "logs"
    cp_activation: Activation
    data_last_seen: Seen
    filters_configured: bool
    integration_installed_status: Integration
    logs_seen_from_any_index: bool
    siem_index_incorrect: bool = False


class PackStateAttributes(BaseModel):
    status: Status
    details: LogsDetails


class PackStateData(BaseModel):
    id: str
    type: Literal["content_pack_state"] = "content_pack_state"
    attributes: PackStateAttributes


class PackStatesMeta(BaseModel):
    """There are no prices here, so no pricing model either."""

    sku: Literal["unknown"] = "unknown"
    cloud_siem_index_incorrect: bool = False


class PackStates(BaseModel):
    data: list[PackStateData]
    meta: PackStatesMeta = PackStatesMeta()


class GuideStep(BaseModel):
    """A sentence, and what is to be copied. `{url}` and `{host}` in both stand for where Tocsin is."""

    text: str
    command: str


class PackPipeline(BaseModel):
    id: str
    name: str
    is_enabled: bool


class PackRules(BaseModel):
    """`query` finds them in the list of rules."""

    total: int
    enabled: int
    query: str


class PackLogs(BaseModel):
    """Of the last 72 hours: all that `query` finds, and how many of them rules may look at."""

    count: int
    analysed: int
    query: str


class PackSignals(BaseModel):
    """Of the last seven days."""

    count: int
    query: str


class SampleLogsState(BaseModel):
    """Whether there are sample logs of the pack, and until when they come."""

    is_available: bool
    expires_at: str | None


class PackAttributes(PackStateAttributes):
    name: str
    about: str
    sources: list[str]
    data_last_seen_at: str | None
    rules: PackRules
    pipelines: list[PackPipeline]
    logs: PackLogs
    signals: PackSignals
    sample_logs: SampleLogsState
    guide: list[GuideStep]


class PackData(BaseModel):
    id: str
    type: Literal["content_pack"] = "content_pack"
    attributes: PackAttributes


class PackList(BaseModel):
    data: list[PackData]


Duration = Literal["1h", "1d", "3d", "7d"]


class SubscriptionRequestAttributes(BaseModel):
    content_pack_id: str
    duration: Duration = "3d"


class SubscriptionRequestData(BaseModel):
    type: Literal["subscription_requests"]
    attributes: SubscriptionRequestAttributes


class SubscriptionRequest(BaseModel):
    data: SubscriptionRequestData


class BulkSubscriptionAttributes(BaseModel):
    content_pack_ids: list[str]
    duration: Duration = "3d"


class BulkSubscriptionData(BaseModel):
    type: Literal["bulk_subscription_requests"]
    attributes: BulkSubscriptionAttributes


class BulkSubscriptionRequest(BaseModel):
    data: BulkSubscriptionData


class SubscriptionAttributes(BaseModel):
    """Without a subscription both times are the moment of the answer."""

    content_pack_id: str
    created_at: str
    expires_at: str
    is_active: bool
    status: str


class SubscriptionData(BaseModel):
    id: str
    type: Literal["subscriptions"] = "subscriptions"
    attributes: SubscriptionAttributes


class SubscriptionAnswer(BaseModel):
    data: SubscriptionData


class SubscriptionsMeta(BaseModel):
    total_subscriptions: int


class SubscriptionList(BaseModel):
    data: list[SubscriptionData]
    meta: SubscriptionsMeta


class BulkItemMeta(BaseModel):
    status: int
    error: str | None = None


class BulkItem(SubscriptionData):
    meta: BulkItemMeta


class BulkSubscriptionAnswer(BaseModel):
    data: list[BulkItem]
