"""Bodies and answers about the triage of signals (api.md §5, "Triage")."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.signal import Person, Triage
from tocsin.triage.history import Entry
from tocsin.triage.service import MAX_BULK, Outcome
from tocsin.triage.transitions import Change

State = Literal["open", "under_review", "archived"]
ArchiveReason = Literal[
    "none",
    "false_positive",
    "testing_or_maintenance",
    "remediated",
    "investigated_case_opened",
    "true_positive_benign",
    "true_positive_malicious",
    "other",
]
Version = Annotated[int, Field(description="The version that was decided on; an older one than the current is a 409.")]
IncidentId = Annotated[int, Field(ge=0, le=2**53)]
SingleType = Literal["signal_metadata", "signal"]


class StateAttributes(BaseModel):
    state: State
    archive_reason: ArchiveReason | None = None
    archive_comment: str | None = None
    version: Version | None = None

    def change(self) -> Change:
        return Change(self.state, self.archive_reason, self.archive_comment, version=self.version)


class Assignee(BaseModel):
    uuid: Annotated[str, Field(description="UUID of a user; empty for nobody.")]


class AssigneeAttributes(BaseModel):
    assignee: Assignee
    version: Version | None = None

    def change(self) -> Change:
        return Change(assignee=Person(self.assignee.uuid), version=self.version)


class IncidentsAttributes(BaseModel):
    incident_ids: list[IncidentId]
    version: Version | None = None

    def change(self) -> Change:
        return Change(incident_ids=tuple(dict.fromkeys(self.incident_ids)), version=self.version)


class UpdateAttributes(BaseModel):
    state: State | None = None
    archive_reason: ArchiveReason | None = None
    archive_comment: str | None = None
    assignee: Assignee | None = None
    version: Version | None = None

    def change(self) -> Change:
        person = None if self.assignee is None else Person(self.assignee.uuid)
        return Change(self.state, self.archive_reason, self.archive_comment, person, version=self.version)


class BulkAssigneeAttributes(BaseModel):
    assignee: Annotated[str, Field(description="UUID of a user; empty for nobody.")]
    version: Version | None = None

    def change(self) -> Change:
        return Change(assignee=Person(self.assignee), version=self.version)


class StateData(BaseModel):
    id: Any = None
    type: SingleType | None = None
    attributes: StateAttributes


class AssigneeData(BaseModel):
    id: Any = None
    type: SingleType | None = None
    attributes: AssigneeAttributes


class IncidentsData(BaseModel):
    id: Any = None
    type: SingleType | None = None
    attributes: IncidentsAttributes


class UpdateData(BaseModel):
    id: Any = None
    type: SingleType | None = None
    attributes: UpdateAttributes


class StateChange(BaseModel):
    data: StateData


class AssigneeChange(BaseModel):
    data: AssigneeData


class IncidentsChange(BaseModel):
    data: IncidentsData


class Update(BaseModel):
    data: UpdateData


class BulkStateData(BaseModel):
    id: str
    type: Literal["signal"] | None = None
    attributes: StateAttributes


class BulkAssigneeData(BaseModel):
    id: str
    type: Literal["signal"] | None = None
    attributes: BulkAssigneeAttributes


class BulkUpdateData(BaseModel):
    id: str
    type: Literal["signal"] | None = None
    attributes: UpdateAttributes


class BulkStateChange(BaseModel):
    data: Annotated[list[BulkStateData], Field(min_length=1, max_length=MAX_BULK)]


class BulkAssigneeChange(BaseModel):
    data: Annotated[list[BulkAssigneeData], Field(min_length=1, max_length=MAX_BULK)]


class BulkUpdate(BaseModel):
    data: Annotated[list[BulkUpdateData], Field(min_length=1, max_length=MAX_BULK)]


class StateV1(BaseModel):
    state: State
    archiveReason: ArchiveReason | None = None
    archiveComment: str | None = None
    version: Version | None = None

    def change(self) -> Change:
        return Change(self.state, self.archiveReason, self.archiveComment, version=self.version)


class AssigneeV1(BaseModel):
    assignee: str
    version: Version | None = None

    def change(self) -> Change:
        return Change(assignee=Person(self.assignee), version=self.version)


class IncidentV1(BaseModel):
    incident_id: IncidentId
    add_to_signal_timeline: bool | None = None
    version: Version | None = None


class DoneV1(BaseModel):
    status: Literal["done"] = "done"


class PersonBody(BaseModel):
    uuid: str
    id: int
    name: str | None = None
    handle: str | None = None
    icon: str | None = None


class TriageAttributes(BaseModel):
    state: State
    archive_reason: ArchiveReason
    archive_comment: str
    archive_comment_timestamp: int | None = None
    archive_comment_user: PersonBody | None = None
    assignee: PersonBody
    incident_ids: list[int]
    state_update_timestamp: int | None = None
    state_update_user: PersonBody | None = None
    version: int


class TriageData(BaseModel):
    id: str
    type: Literal["signal_metadata"] = "signal_metadata"
    attributes: TriageAttributes


class TriageAnswer(BaseModel):
    data: TriageData


class BulkEventAttributes(TriageAttributes):
    id: str


class BulkEvent(BaseModel):
    id: str
    event: BulkEventAttributes


class BulkFailure(BaseModel):
    id: str
    status: int
    code: str
    errors: list[str]


class BulkResult(BaseModel):
    count: int
    events: list[BulkEvent]
    failures: list[BulkFailure]


class BulkAnswer(BaseModel):
    """Signals that were changed are in `events`, those that could not be in `failures`, with the reason."""

    type: Literal["status"] = "status"
    status: Literal["done"] = "done"
    result: BulkResult


class HistoryPerson(BaseModel):
    name: str
    handle: str


class HistoryEntry(BaseModel):
    at: Annotated[int, Field(description="Unix milliseconds.")]
    by: HistoryPerson
    kind: str
    before: Annotated[str, Field(serialization_alias="from")]
    after: Annotated[str, Field(serialization_alias="to")]
    comment: str


class HistoryAnswer(BaseModel):
    data: list[HistoryEntry]


def triage_answer(triage: Triage) -> TriageAnswer:
    return TriageAnswer(data=TriageData(id=triage.signal_id, attributes=TriageAttributes(**_attributes(triage))))


def bulk_answer(outcome: Outcome) -> BulkAnswer:
    events = [
        BulkEvent(id=triage.signal_id, event=BulkEventAttributes(id=triage.signal_id, **_attributes(triage)))
        for triage in outcome.done
    ]
    failures = [
        BulkFailure(
            id=failure.signal_id,
            status=failure.error.status,
            code=getattr(failure.error, "code", type(failure.error).__name__),
            errors=list(failure.error.reasons),
        )
        for failure in outcome.failed
    ]
    return BulkAnswer(result=BulkResult(count=len(events), events=events, failures=failures))


def history_answer(entries: list[Entry]) -> HistoryAnswer:
    return HistoryAnswer(
        data=[
            HistoryEntry(
                at=entry.at,
                by=HistoryPerson(name=entry.by.name, handle=entry.by.handle),
                kind=entry.kind,
                before=entry.before,
                after=entry.after,
                comment=entry.comment,
            )
            for entry in entries
        ]
    )


def _attributes(triage: Triage) -> dict[str, Any]:
    return {
        "state": triage.state,
        "archive_reason": triage.archive_reason,
        "archive_comment": triage.archive_comment,
        "archive_comment_timestamp": triage.archive_comment_at,
        "archive_comment_user": _person(triage.archive_comment_by),
        "assignee": _person(triage.assignee),
        "incident_ids": list(triage.incident_ids),
        "state_update_timestamp": triage.state_updated_at,
        "state_update_user": _person(triage.state_updated_by),
        "version": triage.version,
    }


def _person(person: Person | None) -> PersonBody | None:
    if person is None:
        return None
    if not person.uuid:
        return PersonBody(uuid="", id=person.id, name=person.name)
    return PersonBody(uuid=person.uuid, id=person.id, name=person.name, handle=person.handle, icon="")
