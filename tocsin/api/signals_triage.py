"""What people decide about signals (api.md §5, "Triage"), and the history of a signal (siem.md §3.7)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.triage import (
    AssigneeChange,
    AssigneeV1,
    BulkAnswer,
    BulkAssigneeChange,
    BulkStateChange,
    BulkUpdate,
    DoneV1,
    HistoryAnswer,
    IncidentsChange,
    IncidentV1,
    StateChange,
    StateV1,
    TriageAnswer,
    Update,
    bulk_answer,
    history_answer,
    triage_answer,
)
from tocsin.api.security import requires
from tocsin.triage.service import TriageService
from tocsin.triage.transitions import Change


async def _triage(services: Services) -> TriageService:
    service: TriageService = services.triage
    return service


Triage = Annotated[TriageService, Depends(_triage)]
Writer = Annotated[Actor, Depends(requires("security_monitoring_signals_write"))]
Reader = Annotated[Actor, Depends(requires("security_monitoring_signals_read"))]

V2 = "/api/v2/security_monitoring/signals"
V1 = "/api/v1/security_analytics/signals/{signal_id}"

router = APIRouter(tags=["signals"])


@router.patch(f"{V2}/bulk/state", response_model_exclude_none=True)
def set_states(triage: Triage, actor: Writer, body: BulkStateChange) -> BulkAnswer:
    """Move up to 199 signals between open, under review and archived."""
    return bulk_answer(triage.decide_all([(item.id, item.attributes.change()) for item in body.data], actor))


@router.patch(f"{V2}/bulk/assignee", response_model_exclude_none=True)
def set_assignees(triage: Triage, actor: Writer, body: BulkAssigneeChange) -> BulkAnswer:
    """Assign up to 199 signals."""
    return bulk_answer(triage.decide_all([(item.id, item.attributes.change()) for item in body.data], actor))


@router.patch(f"{V2}/bulk/update", response_model_exclude_none=True)
def update_signals(triage: Triage, actor: Writer, body: BulkUpdate) -> BulkAnswer:
    """Change state and assignee of up to 199 signals."""
    return bulk_answer(triage.decide_all([(item.id, item.attributes.change()) for item in body.data], actor))


@router.patch(f"{V2}/{{signal_id}}/state", response_model_exclude_none=True)
def set_state(triage: Triage, actor: Writer, signal_id: str, body: StateChange) -> TriageAnswer:
    """Move a signal between open, under review and archived."""
    return triage_answer(triage.decide(signal_id, body.data.attributes.change(), actor))


@router.patch(f"{V2}/{{signal_id}}/assignee", response_model_exclude_none=True)
def set_assignee(triage: Triage, actor: Writer, signal_id: str, body: AssigneeChange) -> TriageAnswer:
    """Assign a signal to a user, or to nobody."""
    return triage_answer(triage.decide(signal_id, body.data.attributes.change(), actor))


@router.patch(f"{V2}/{{signal_id}}/incidents", response_model_exclude_none=True)
def set_incidents(triage: Triage, actor: Writer, signal_id: str, body: IncidentsChange) -> TriageAnswer:
    """Replace the incidents that a signal is linked to."""
    return triage_answer(triage.decide(signal_id, body.data.attributes.change(), actor))


@router.patch(f"{V2}/{{signal_id}}/update", response_model_exclude_none=True)
def update_signal(triage: Triage, actor: Writer, signal_id: str, body: Update) -> TriageAnswer:
    """Change state and assignee of a signal at once."""
    return triage_answer(triage.decide(signal_id, body.data.attributes.change(), actor))


@router.get(f"{V2}/{{signal_id}}/history")
def signal_history(triage: Triage, actor: Reader, signal_id: str) -> HistoryAnswer:
    """Everything that happened to a signal, oldest first."""
    return history_answer(triage.history_of(signal_id))


@router.patch(f"{V1}/state")
def set_state_v1(triage: Triage, actor: Writer, signal_id: str, body: StateV1) -> DoneV1:
    """Move a signal between open, under review and archived (v1)."""
    triage.decide(signal_id, body.change(), actor)
    return DoneV1()


@router.patch(f"{V1}/assignee")
def set_assignee_v1(triage: Triage, actor: Writer, signal_id: str, body: AssigneeV1) -> DoneV1:
    """Assign a signal to a user, or to nobody (v1)."""
    triage.decide(signal_id, body.change(), actor)
    return DoneV1()


@router.patch(f"{V1}/add_to_incident")
def add_to_incident_v1(triage: Triage, actor: Writer, signal_id: str, body: IncidentV1) -> DoneV1:
    """Link a signal to one more incident (v1)."""
    triage.decide(signal_id, Change(version=body.version), actor, add_incident=body.incident_id)
    return DoneV1()
