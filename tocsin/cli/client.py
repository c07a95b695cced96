"""The command line's view of the server: where it is, who we are, and what to say when it does not answer.

ServerError         the server refused or failed; carries its status and its reasons
└── Unreachable     nobody answered
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import httpx

from tocsin.access.local_keys import LocalKeys, read_local_keys
from tocsin.config import load_config
from tocsin.errors import TocsinError

MAX_ATTEMPTS = 8


class ServerError(TocsinError):
    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__(*reasons)
        self.status = status


class Unreachable(ServerError):
    def __init__(self, url: str, cause: str) -> None:
        super().__init__(0, f"no Tocsin answers at {url} ({cause}); start one with `tocsin up`, or give --url")


class Client:
    """A small client of the API. Repeats what the server asks to repeat (429, 5xx), at most `MAX_ATTEMPTS` times."""

    def __init__(self, url: str | None = None) -> None:
        saved = read_local_keys(load_config().data)
        environ = os.environ
        self.url = (url or environ.get("TOCSIN_URL") or saved.url or "http://127.0.0.1:8080").rstrip("/")
        headers = {"User-Agent": "tocsin-cli"}
        local = saved if self.url == saved.url else LocalKeys()
        if api_key := environ.get("TOCSIN_API_KEY") or local.api_key:
            headers["DD-API-KEY"] = api_key
        if app_key := environ.get("TOCSIN_APP_KEY") or local.app_key:
            headers["DD-APPLICATION-KEY"] = app_key
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request; returns the decoded JSON answer, or None when it has no body."""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                answer = self._http.request(method, path, json=json, content=content, params=params, headers=headers)
            except httpx.HTTPError as error:
                if isinstance(error, httpx.ConnectError) or attempt == MAX_ATTEMPTS:
                    raise Unreachable(self.url, str(error) or type(error).__name__) from error
                time.sleep(0.2 * 2**attempt)
                continue
            if answer.status_code in (408, 429, 500, 502, 503, 504) and attempt < MAX_ATTEMPTS:
                time.sleep(_wait_seconds(answer, attempt))
                continue
            if answer.is_success:
                return answer.json() if answer.content else None
            raise ServerError(answer.status_code, *_reasons(answer))
        raise AssertionError("unreachable: the last attempt returns or raises")


def _wait_seconds(answer: httpx.Response, attempt: int) -> float:
    try:
        return min(float(answer.headers["Retry-After"]), 30.0)
    except (KeyError, ValueError):
        return min(0.2 * 2.0**attempt, 10.0)


def _reasons(answer: httpx.Response) -> list[str]:
    """The reasons in an error's body, whichever of the API's three shapes it has."""
    try:
        body = answer.json()
        errors = body.get("errors") or [body.get("error") or body.get("message")]
        reasons = [e if isinstance(e, str) else e.get("detail") or e.get("title") or e.get("message") for e in errors]
    except (ValueError, AttributeError, TypeError):
        reasons = []
    hint = {
        401: "no credentials: set TOCSIN_API_KEY and TOCSIN_APP_KEY, or run beside the data of `tocsin up`",
        403: "these keys may not do that: the key is wrong, or its owner lacks the permission",
    }.get(answer.status_code)
    return [str(r) for r in reasons if r] + ([hint] if hint else []) or [f"the server answered {answer.status_code}"]
