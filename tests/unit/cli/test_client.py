"""The client waits and repeats where that is safe, and says what is wrong."""

from collections.abc import Callable

import httpx
import pytest

from tocsin.cli import client as module
from tocsin.cli.client import Client, ServerError, Unreachable, pages
from tocsin.errors import TocsinError

Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def talking_to(answers: Answers) -> Client:
    client = Client("http://tocsin.example")
    client._http = httpx.Client(base_url=client.url, transport=httpx.MockTransport(answers))
    return client


def in_turn(*answers: httpx.Response | Exception) -> tuple[Answers, list[httpx.Request]]:
    """Gives the answers one after the other, the last one for ever."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        found = answers[min(len(seen), len(answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    return answer, seen


def test_repeats_when_told_to_come_back() -> None:
    answers, seen = in_turn(httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(202, json={"stored": 1}))
    assert talking_to(answers).request("POST", "/api/v2/logs", is_repeatable=True) == {"stored": 1}
    assert len(seen) == 2


def test_gives_up_in_the_end() -> None:
    answers, seen = in_turn(httpx.Response(503, json={"errors": ["the disk is full"]}))
    with pytest.raises(ServerError, match="the disk is full"):
        talking_to(answers).request("GET", "/x")
    assert len(seen) == module.MAX_ATTEMPTS


@pytest.mark.parametrize("failure", [httpx.ReadError("lost"), httpx.Response(500, json={"errors": ["?"]})])
def test_does_not_repeat_what_may_have_been_done(failure: httpx.Response | Exception) -> None:
    answers, seen = in_turn(failure)
    with pytest.raises(ServerError):
        talking_to(answers).request("POST", "/api/v2/api_keys", json={})
    assert len(seen) == 1


def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    answers, seen = in_turn(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match="tocsin up"):
        talking_to(answers).request("GET", "/x")
    assert len(seen) == 1


def test_patience_is_for_a_server_that_was_there() -> None:
    answers, seen = in_turn(httpx.ConnectError("refused"))
    client = talking_to(answers)
    client.patience_seconds = 60
    with pytest.raises(Unreachable, match="tocsin up"):
        client.request("GET", "/x")
    assert len(seen) == 1


def test_patience_waits_for_a_server_that_comes_back() -> None:
    answers, seen = in_turn(
        httpx.ReadError("killed"), *[httpx.ConnectError("refused")] * 20, httpx.Response(200, json={"ok": True})
    )
    client = talking_to(answers)
    reasons: list[str] = []
    client.on_wait = reasons.append
    client.patience_seconds = 60
    assert client.request("POST", "/api/v2/logs", is_repeatable=True) == {"ok": True}
    assert len(seen) == 22
    assert set(reasons) == {"no answer from http://tocsin.example"}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"errors": ["plain"]}, "plain"),
        (409, {"errors": [{"title": "t", "detail": "in detail"}]}, "in detail"),
        (400, {"error": {"message": "of one"}}, "of one"),
        (401, {"errors": ["Unauthorized"]}, "set TOCSIN_API_KEY"),
        (403, {"errors": ["Forbidden"]}, "the key is wrong"),
        (404, "nothing JSON", "the server answered 404"),
    ],
)
def test_says_why(status: int, body: object, said: str) -> None:
    answers, _ = in_turn(httpx.Response(status, json=body))
    with pytest.raises(ServerError) as raised:
        talking_to(answers).request("GET", "/x")
    assert said in str(raised.value)
    assert raised.value.status == status


def test_another_kind_of_server() -> None:
    answers, _ = in_turn(httpx.Response(200, text="<html>"))
    with pytest.raises(ServerError, match="does not answer as Tocsin does"):
        talking_to(answers).request("GET", "/x")


def test_an_address_that_is_none() -> None:
    for url in ("ftp://x", "nonsense", "localhost:8080"):
        with pytest.raises(TocsinError, match="must begin with http"):
            Client(url)
    for url in ("http://a b", "http://[::1"):
        with pytest.raises(TocsinError):
            Client(url).request("GET", "/x")


def test_a_server_that_has_moved_says_where() -> None:
    answers, _ = in_turn(httpx.Response(301, headers={"Location": "https://tocsin.example/x"}))
    with pytest.raises(ServerError, match=r"points to https://tocsin\.example/x; give its address with --url"):
        talking_to(answers).request("GET", "/x")


def test_a_key_that_was_copied_with_its_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_API_KEY", "abc\r\n")
    assert Client("http://tocsin.example")._http.headers["DD-API-KEY"] == "abc"
    for wrong in ("a\nb", "schlüssel"):
        monkeypatch.setenv("TOCSIN_APP_KEY", wrong)
        with pytest.raises(TocsinError, match="TOCSIN_APP_KEY holds a character that no key has") as raised:
            Client("http://tocsin.example")
        assert wrong not in str(raised.value)


def test_pages_until_one_is_not_full() -> None:
    full = httpx.Response(200, json={"data": [0] * module.PAGE})
    answers, seen = in_turn(full, full, httpx.Response(200, json={"data": [0]}))
    assert sum(len(page["data"]) for page in pages(talking_to(answers), "/x", {"filter": "a"})) == 2 * module.PAGE + 1
    assert [request.url.params["page[number]"] for request in seen] == ["0", "1", "2"]
    assert seen[0].url.params["filter"] == "a"
