"""The guarded way out: which addresses it refuses, in every disguise, and what it keeps to itself (decision 0103)."""

import base64
import http.server
import threading
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest

from tocsin.outbound import Outbound, OutboundFailed, RefusedAddress, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
    ],
)
def test_internal_addresses_in_every_disguise(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


class Site(http.server.BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def do_GET(self) -> None:
        Site.seen.append((self.path, self.headers["Host"], self.headers["Authorization"]))
        location = {
            "/out": f"http://elsewhere.example:{self.server.server_address[1]}/secret",
            "/inside": "http://metadata.example/",
            "/file": "file:///etc/passwd",
            "/loop": "/loop",
        }.get(self.path)
        body = b"x" * 5000
        self.send_response(302 if location else 200 if self.path != "/gone" else 410)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def resolved(host: str, port: int) -> Sequence[str]:
    """Names of a test: all are this machine, but for one that nobody knows."""
    if host == "unknown.example":
        raise OSError("not known")
    return ["127.0.0.1"]


def test_connects_to_the_address_that_was_checked_under_the_name_that_was_asked(port: int) -> None:
    Site.seen.clear()
    with Outbound(allow_internal=True, auth=("a", "b"), resolve=resolved) as outbound:
        answer = outbound.get(f"http://feeds.example:{port}/x")
    assert len(answer.content) == 5000
    assert Site.seen == [("/x", f"feeds.example:{port}", "Basic " + base64.b64encode(b"a:b").decode())]


def test_refuses_what_leads_inside(port: int) -> None:
    asked: list[str] = []

    def public_then_internal(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["8.8.8.8", "10.0.0.1"] if host == "both.example" else ["127.0.0.1"]

    with Outbound(resolve=public_then_internal) as outbound:
        for url in (f"http://localhost:{port}/", f"http://127.0.0.1:{port}/", "http://both.example/", "http://[::1]/"):
            with pytest.raises(RefusedAddress, match="TOCSIN_OUTBOUND_INTERNAL"):
                outbound.get(url)
        for url in ("file:///etc/passwd", "gopher://x.example/", "http://", "not a url"):
            with pytest.raises((RefusedAddress, OutboundFailed)):
                outbound.get(url)
    assert asked


def test_redirects_pass_the_same_check(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.outbound.is_public", lambda address: address != "10.0.0.9")

    def to(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.9"] if host == "metadata.example" else ["127.0.0.1"]

    with Outbound(resolve=to) as outbound:
        with pytest.raises(RefusedAddress, match="internal address 10"):
            outbound.get(f"http://feeds.example:{port}/inside")
        with pytest.raises(RefusedAddress, match="cannot be fetched"):
            outbound.get(f"http://feeds.example:{port}/file")
        with pytest.raises(OutboundFailed, match="redirects"):
            outbound.get(f"http://feeds.example:{port}/loop")


def test_tells_no_secret_to_another_host(port: int) -> None:
    Site.seen.clear()
    secret = {"Authorization": "Bearer s3cret"}
    with Outbound(allow_internal=True, headers=secret, resolve=resolved) as outbound:
        outbound.get(f"http://feeds.example:{port}/out")
    assert [(path, secret) for path, _, secret in Site.seen] == [("/out", "Bearer s3cret"), ("/secret", None)]


def test_bounds_what_it_takes(port: int) -> None:
    with Outbound(allow_internal=True, max_bytes=4999, resolve=resolved) as outbound:
        with pytest.raises(OutboundFailed, match="4,999 bytes"):
            outbound.get(f"http://feeds.example:{port}/x?token=hidden")
        with pytest.raises(OutboundFailed, match="not known"):
            outbound.get("http://unknown.example/")
    with Outbound(allow_internal=True, seconds=-1, resolve=resolved) as outbound:
        with pytest.raises(OutboundFailed) as failed:
            outbound.get(f"http://feeds.example:{port}/x?token=hidden")
        assert "hidden" not in str(failed.value)
    with Outbound(allow_internal=True, resolve=resolved) as outbound, pytest.raises(OutboundFailed, match="410"):
        outbound.get(f"http://feeds.example:{port}/gone")
