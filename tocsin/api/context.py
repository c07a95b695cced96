"""What the API finds behind `request.app.state.tocsin`: the services, as `bootstrap` wires them."""

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from tocsin.access.audit import AuditTrail
from tocsin.access.service import Access
from tocsin.clock import Clock
from tocsin.config import Config

if TYPE_CHECKING:
    from tocsin.store.events import EventStore
    from tocsin.store.state import StateStore


class Tocsin(Protocol):
    """The services of one process; those of roles that this process does not play are None.

    Read-only for everyone but `bootstrap`.
    """

    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def events(self) -> "EventStore": ...
    @property
    def state(self) -> "StateStore": ...
    @property
    def access(self) -> Access: ...
    @property
    def audit(self) -> AuditTrail: ...
    @property
    def metrics(self) -> CollectorRegistry: ...
    @property
    def intake(self) -> Any: ...
    @property
    def rejected(self) -> Any: ...
    @property
    def rules(self) -> Any: ...
    @property
    def matcher(self) -> Any: ...
    @property
    def evaluator(self) -> Any: ...
    @property
    def signals(self) -> Any: ...
    @property
    def explore(self) -> Any: ...
    @property
    def triage(self) -> Any: ...


def tocsin_of(request: Request) -> Tocsin:
    """The services of the process that answers this request."""
    services: Tocsin = request.app.state.tocsin
    return services


Services = Annotated[Tocsin, Depends(tocsin_of)]
