"""Sign-in for people: a session in a cookie, and the token that each change must carry (decision 0033)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from tocsin.access.actor import Actor
from tocsin.access.sessions import SignedIn
from tocsin.api.context import Services
from tocsin.api.paging import timestamp
from tocsin.api.security import client_ip, public, requires, session_cookie
from tocsin.errors import Forbidden, Unauthorized

router = APIRouter(prefix="/api/v2/session", tags=["session"])

Anyone = Annotated[Actor, Depends(requires())]


class Credentials(BaseModel):
    email: Annotated[str, Field(max_length=320)]
    password: Annotated[str, Field(max_length=256)]


class SessionAttributes(BaseModel):
    csrf_token: str
    expires_at: str


class SessionResource(BaseModel):
    type: Literal["session"] = "session"
    attributes: SessionAttributes


class SessionResponse(BaseModel):
    data: SessionResource

    @classmethod
    def of(cls, session: SignedIn) -> "SessionResponse":
        attributes = SessionAttributes(csrf_token=session.csrf_token, expires_at=timestamp(session.expires_at))
        return cls(data=SessionResource(attributes=attributes))


@router.post("", dependencies=[Depends(public())], responses={401: {"description": "Wrong e-mail or password"}})
def sign_in(credentials: Credentials, request: Request, response: Response, services: Services) -> SessionResponse:
    """Sign in with e-mail and password."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "same-site", "none"):
        raise Forbidden("Forbidden", "sign-in must come from our own page")  # else one could be signed in as another
    name = session_cookie(request)
    session = services.access.sessions.sign_in(
        credentials.email, credentials.password, ip=client_ip(request), previous=request.cookies.get(name)
    )
    response.set_cookie(
        name,
        session.token,
        max_age=services.config.session_hours * 3600,
        path="/",
        secure=services.config.secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return SessionResponse.of(session)


@router.get("")
def current_session(by: Anyone, request: Request, services: Services) -> SessionResponse:
    """The session's token for changes, and when it ends."""
    return SessionResponse.of(services.access.sessions.current(_token(request)))


@router.delete("", status_code=204)
def sign_out(by: Anyone, request: Request, response: Response, services: Services) -> None:
    """End this session."""
    services.access.sessions.sign_out(_token(request), by)
    _drop_cookie(request, response, services)


@router.delete("/all", status_code=204)
def sign_out_everywhere(by: Anyone, request: Request, response: Response, services: Services) -> None:
    """End all sessions of the person who asks."""
    services.access.sessions.sign_out_everywhere(by)
    _drop_cookie(request, response, services)


def _token(request: Request) -> str:
    token = request.cookies.get(session_cookie(request))
    if not token:
        raise Unauthorized("Unauthorized", "this is about a browser's session, and the request has none")
    return token


def _drop_cookie(request: Request, response: Response, services: Services) -> None:
    response.delete_cookie(
        session_cookie(request), path="/", secure=services.config.secure_cookies, httponly=True, samesite="lax"
    )
