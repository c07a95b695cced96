"""The one way out: requests to addresses that people typed in, kept from reaching what they should not (decision 0103).

Whoever may name a URL could otherwise let the server ask its own network: databases, cloud metadata, the API itself.
So every connection goes to an address that was looked at: the name is resolved here, every address that it has must be
public, and the connection is made to that very address, so that a second look-up cannot answer differently. Redirects
pass the same check. Time and size are bounded.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import httpx

from tocsin.errors import BadRequest, TocsinError

SECONDS = 120.0
"""For a whole answer, redirects included."""

IDLE_SECONDS = 20.0
"""Without a byte."""

MAX_BYTES = 200_000_000
"""Of an answer, decompressed: a feed of two million indicators has about 100 MB."""

REDIRECTS = 5

CHUNK = 65_536


class RefusedAddress(BadRequest):
    """The URL leads where outbound requests may not go."""


class OutboundFailed(TocsinError):
    """The other side did not answer, or not as asked; may be tried again later."""

    status = 502


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `url` is the last one after redirects, header names are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes


Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host name. Raises `OSError`."""


def resolve(host: str, port: int) -> list[str]:
    """By the operating system, IPv4 first: many networks announce IPv6 that leads nowhere."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(
        dict.fromkeys(str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0] != socket.AF_INET))
    )


class _Checked(httpx.BaseTransport):
    """Connects only to addresses that may be reached."""

    def __init__(self, allow_internal: bool, resolve: Resolve) -> None:
        self._allow_internal = allow_internal
        self._resolve = resolve
        self._http = httpx.HTTPTransport(retries=1, limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in ("http", "https"):
            raise RefusedAddress(f"'{url.scheme}' cannot be fetched; use https or http")
        host = url.host
        try:
            addresses = self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except (OSError, UnicodeError) as error:
            raise OutboundFailed(f"the host {host} is not known: {error}") from error
        if not addresses:
            raise OutboundFailed(f"the host {host} has no address")
        if not self._allow_internal:
            for address in addresses:
                if not is_public(address):
                    raise RefusedAddress(
                        f"{host} is the internal address {address}; set TOCSIN_OUTBOUND_INTERNAL=true to allow such"
                    )
        request.url = url.copy_with(host=addresses[0])
        request.extensions = {**request.extensions, "sni_hostname": host}
        try:
            return self._http.handle_request(request)
        finally:
            request.url = url

    def close(self) -> None:
        self._http.close()


def is_public(text: str) -> bool:
    """Whether an address is one of the internet: neither private, local, multicast nor reserved, in any disguise."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None and not is_public(str(inner)):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast


_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class Outbound:
    """One for each errand: `with Outbound(...) as outbound: outbound.get(url)`."""

    def __init__(
        self,
        *,
        allow_internal: bool = False,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
        seconds: float = SECONDS,
        resolve: Resolve = resolve,
    ) -> None:
        """`auth` is user and password. Neither it nor `headers` are sent to another origin after a redirect."""
        self._secret = dict(headers or {})
        self._auth = auth
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._client = httpx.Client(
            transport=_Checked(allow_internal, resolve),
            timeout=httpx.Timeout(IDLE_SECONDS),
            headers={"User-Agent": "Tocsin"},
            trust_env=False,
        )

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Fetch. Raises `RefusedAddress`, and `OutboundFailed` for everything but a success."""
        until = time.monotonic() + self._seconds
        try:
            target = httpx.URL(url).copy_merge_params(params) if params else httpx.URL(url)
            origin = _origin(target)
            for _ in range(REDIRECTS + 1):
                is_home = _origin(target) == origin
                answer = self._fetch(target, {**(self._secret if is_home else {}), **(headers or {})}, is_home, until)
                following = answer.headers.get("location")
                if not (300 <= answer.status < 400 and following):
                    break
                target = httpx.URL(answer.url).join(following)
            else:
                raise OutboundFailed(f"{_shown(url)} leads through more than {REDIRECTS} redirects")
        except httpx.InvalidURL as error:
            raise RefusedAddress(f"'{url[:100]}' is no URL: {error}") from error
        except httpx.HTTPError as error:
            raise OutboundFailed(f"{_shown(url)} does not answer: {str(error) or type(error).__name__}") from error
        if not 200 <= answer.status < 300:
            raise OutboundFailed(f"{_shown(url)} answers {answer.status}")
        return answer

    def _fetch(self, url: httpx.URL, headers: Mapping[str, str], is_home: bool, until: float) -> Answer:
        auth = httpx.BasicAuth(*self._auth) if self._auth and is_home else None
        content = bytearray()
        with self._client.stream("GET", url, headers=headers, auth=auth) as response:
            for chunk in response.iter_bytes(CHUNK):
                content += chunk
                if len(content) > self._max_bytes:
                    raise OutboundFailed(f"{_shown(str(url))} sends more than {self._max_bytes:,} bytes")
                if time.monotonic() > until:
                    raise OutboundFailed(f"{_shown(str(url))} takes more than {self._seconds:.0f} s")
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(str(url), response.status_code, found, bytes(content))

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> "Outbound":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _shown(url: str) -> str:
    """A URL without what may be a secret in it."""
    parts = httpx.URL(url)
    return str(parts.copy_with(query=None, fragment=None, userinfo=b""))
