"""The command line's view of the server: where it is, who we are, and what to say when it does not answer.

ServerError         the server refused or failed; carries its status and its reasons
└── Unreachable     nobody answered
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import httpx
import orjson

from tocsin.access.local_keys import LocalKeys, read_local_keys
from tocsin.config import load_config
from tocsin.errors import BadRequest, TocsinError

MAX_ATTEMPTS = 8
PAGE = 100
"""The most that a list paged by number gives at once."""
NOT_TAKEN = (429, 503)
"""The server did nothing and says so."""
REPEATABLE = (408, 429, 500, 502, 503, 504)


class ServerError(TocsinError):
    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__(*reasons)
        self.status = status


class Unreachable(ServerError):
    def __init__(self, url: str, cause: str) -> None:
        super().__init__(0, f"no Tocsin answers at {url} ({cause}); start one with `tocsin up`, or give --url")


class Client:
    """A small client of the API. Repeats what the server asks to repeat (429, 503), at most `MAX_ATTEMPTS` times.

    `patience_seconds`: how long to wait for a server that was there before and does not answer any more, or that cannot
    work; 0: not at all.
    `on_wait` is told, with a reason, before each such pause.
    """

    def __init__(self, url: str | None = None, timeout_seconds: float = 60) -> None:
        saved = read_local_keys(load_config().data)
        environ = os.environ
        self.url = (url or environ.get("TOCSIN_URL") or saved.url or "http://127.0.0.1:8080").rstrip("/")
        self.patience_seconds = 0.0
        self._was_there = False
        self.on_wait: Callable[[str], None] = lambda _reason: None
        headers = {"User-Agent": "tocsin-cli"}
        local = saved if self.url == saved.url else LocalKeys()
        for header, name, own in (
            ("DD-API-KEY", "TOCSIN_API_KEY", local.api_key),
            ("DD-APPLICATION-KEY", "TOCSIN_APP_KEY", local.app_key),
        ):
            if key := environ.get(name, "").strip() or own:
                if not (key.isascii() and key.isprintable()):
                    raise BadRequest(f"{name} holds a character that no key has; copy the key again")
                headers[header] = key
        if not self.url.startswith(("http://", "https://")):
            raise BadRequest(f"the address {self.url!r} must begin with http:// or https://")
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_seconds)
        except httpx.InvalidURL as error:
            raise BadRequest(f"the address {self.url!r} cannot be used: {error}") from error

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool | None = None,
    ) -> Any:
        """Send one request; returns the decoded JSON answer, or None when it has no body.

        `is_repeatable`: whether sending it twice does no harm; by default all but POST. A request that may have been
        carried out is sent again only then.
        """
        may_repeat = method != "POST" if is_repeatable is None else is_repeatable
        if json is not None:
            content, headers = _encoded(json), {**(headers or {}), "Content-Type": "application/json"}
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._http.request(method, path, content=content, params=params, headers=headers)
            except httpx.TransportError as error:
                was_sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                self._was_there |= was_sent
                is_late = not self._was_there or time.monotonic() >= began + self.patience_seconds
                is_over = is_late and (not was_sent or attempt >= MAX_ATTEMPTS)
                if is_over or (was_sent and not may_repeat):
                    raise Unreachable(self.url, str(error) or type(error).__name__) from error
                self.on_wait(f"no answer from {self.url}")
                time.sleep(min(0.2 * 2**attempt, 2.0))
                continue
            self._was_there = True
            is_early = attempt < MAX_ATTEMPTS or time.monotonic() < began + self.patience_seconds
            if is_early and answer.status_code in (REPEATABLE if may_repeat else NOT_TAKEN):
                if answer.status_code != 429:  # that is the ordinary way to be slowed down
                    self.on_wait("; ".join(_reasons(answer)))
                time.sleep(_wait_seconds(answer, attempt))
                continue
            if answer.is_success:
                return _decoded(answer)
            raise ServerError(answer.status_code, *_reasons(answer))


def pages(client: Client, path: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """The answers for all pages of a list that is paged by number (api.md §1)."""
    for number in count():
        answer = client.request(
            "GET", path, params={"page[size]": str(PAGE), "page[number]": str(number), **(params or {})}
        )
        yield answer
        if len(answer["data"]) < PAGE:
            return


def _encoded(body: Any) -> bytes:
    """As JSON; dates, which YAML knows, are texts."""
    try:
        return orjson.dumps(body)
    except TypeError as error:
        raise BadRequest(f"it cannot be sent as JSON: {error}") from error


def _decoded(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except ValueError as error:
        raise ServerError(
            answer.status_code, f"{answer.url} does not answer as Tocsin does; is it the address?"
        ) from error


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
    if answer.has_redirect_location:
        hint = f"the server points to {answer.headers['Location']}; give its address with --url"
    return [str(r) for r in reasons if r] + ([hint] if hint else []) or [f"the server answered {answer.status_code}"]
