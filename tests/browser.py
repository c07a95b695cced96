"""What every browser test needs: one server with the demonstration's story, a browser, people who sign in, and axe.

The server is one for the whole run, since starting one costs seconds: a test makes the objects it changes, gives them
names of its own, and puts back what it found.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from load import Sender, story_requests
from playwright.sync_api import APIResponse, Browser, BrowserContext, Locator, Page, Route, expect, sync_playwright
from server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from waiting import PATIENCE, until

SIGNALS = "/api/v2/security_monitoring/signals"
AXE = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EVENTS = 2_000
LEAST_SIGNALS = 15
SLOWDOWN = float(os.environ.get("TOCSIN_BROWSER_SLOWDOWN", "1"))
"""How many times slower than this machine the browser runs: races that a fast one hides show themselves at 6."""
LAG = float(os.environ.get("TOCSIN_BROWSER_LAG", "0"))
"""Up to how many seconds each question to the server and each answer is on its way: answers come in another order."""
LAGGING = """lag => {
  const straight = window.fetch
  const onTheWay = signal => new Promise((arrive, lose) => {
    const timer = setTimeout(arrive, Math.random() * lag * 1000)
    signal?.addEventListener('abort', () => { clearTimeout(timer); lose(signal.reason) })
    if (signal?.aborted) lose(signal.reason)
  })
  window.fetch = async (...question) => {
    const signal = question[1]?.signal
    await onTheWay(signal)
    const answer = await straight(...question)
    await onTheWay(signal)
    return answer
  }
}"""
expect.set_options(timeout=PATIENCE * 1000)


@pytest.fixture(scope="session")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at rest, whose last minutes hold the end of the story and at least `LEAST_SIGNALS` signals of it."""
    with Server(tmp_path_factory.mktemp("browser") / "data").running() as server:
        end = int(time.time() * 1000) - 30_000
        Sender(server.url).send(story_requests(end, EVENTS, 200))
        server.rest(EVENTS)
        body = {"filter": {"query": "*", "from": "now-7d", "to": "now"}, "page": {"limit": LEAST_SIGNALS}}
        until(
            lambda: server.post("/api/v2/explore/signals/events", body)["data"],
            lambda found: len(found) == LEAST_SIGNALS,
        )
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Per module: while Playwright's loop runs, no other test of this thread could run one of its own."""
    if CHROMIUM is None:
        pytest.fail("no Chromium: `make setup` installs it, or says how")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


_COOKIES: dict[tuple[str, str], Any] = {}
"""Of the sessions that tests may share, by server and e-mail address."""


class Person:
    """Somebody at a browser of their own. What the page logs as an error is a failure at the end."""

    def __init__(self, browser: Browser, server: Server, scheme: str = "dark") -> None:
        self.server = server
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1440, "height": 900},
            color_scheme=scheme,
            reduced_motion="reduce",  # axe judges the colours of the moment, which may be half-way to others
            base_url=server.url,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        if SLOWDOWN != 1:
            self.context.new_cdp_session(self.page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        if LAG:
            self.context.add_init_script(f"({LAGGING})({LAG})")
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def sign_in(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> None:
        self.page.goto("/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_role("textbox", name="Password").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    def enter(self, email: str = ADMIN_EMAIL, password: str = ADMIN_PASSWORD) -> None:
        """Signed in without the form and the page behind it, which cost more than many a test; and once for all tests
        as far as nobody signs that session out: to look at a password is meant to cost a quarter of a second."""
        entry = (self.server.url, email)
        if entry in _COOKIES:
            self.context.add_cookies(_COOKIES[entry])
            if self.context.request.get("/api/v2/session").ok:
                return
            self.context.clear_cookies()
        answer = self.context.request.post("/api/v2/session", data={"email": email, "password": password})
        assert answer.ok, answer.text()
        _COOKIES[entry] = self.context.cookies()

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def switch(self, name: str) -> Locator:
        """Of a list, for `press("Space")`: its row may move below a click."""
        return self.page.get_by_role("switch", name=f"{name} enabled")

    def rows(self) -> Any:
        return self.page.get_by_role("grid").get_by_role("row").filter(has=self.page.get_by_role("gridcell"))


@contextmanager
def entered(
    browser: Browser,
    server: Server,
    email: str = ADMIN_EMAIL,
    password: str = ADMIN_PASSWORD,
    scheme: str = "dark",
) -> Iterator[Person]:
    """Somebody who is signed in, and whose pages log no errors."""
    person = Person(browser, server, scheme)
    person.enter(email, password)
    yield person
    assert person.errors == []
    person.context.close()


@pytest.fixture
def ana(browser: Browser, web_server: Server) -> Iterator[Person]:
    """The administrator, signed in, in the dark theme."""
    with entered(browser, web_server) as person:
        yield person


@contextmanager
def held(page: Page, method: str, path: str, *, is_answered: bool = False) -> Iterator[list[Any]]:
    """Requests that begin inside reach the server at the end: whoever asked goes on without an answer. Or the server
    answers at once, from before what happens inside, and the answers arrive at the end (`is_answered`). Yields what
    waits.
    """
    waiting: list[tuple[Route, APIResponse | None]] = []
    is_over = False

    def hold(route: Route) -> None:
        if route.request.method == method and not is_over:
            waiting.append((route, route.fetch() if is_answered else None))
        else:
            route.continue_()

    page.route(f"**{path}", hold)
    yield waiting
    assert waiting, "nothing was asked"
    is_over = True  # what is asked from here on, before the route is gone, would wait for ever
    for route, answer in waiting:
        if answer:
            route.fulfill(response=answer)
        else:
            route.continue_()
    page.unroute(f"**{path}")


def wait_for_one(page: Page, waiting: list[Any]) -> None:
    while not waiting:
        page.wait_for_timeout(20)  # which lets the page's requests come


def opened(page: Page) -> str:
    """The id of the event in the panel, as the address says it."""
    return parse_qs(urlsplit(page.url).query)["event"][0]


def state_button(page: Page, state: str) -> Locator:
    """Of the open signal, pressed where it is the state."""
    return page.get_by_role("group", name="State", exact=True).get_by_role("button", name=state)


def triage_of(server: Server, signal: str) -> dict[str, Any]:
    found = server.get(f"{SIGNALS}/{signal}")["data"]["attributes"]["custom"]["workflow"]["triage"]
    return dict(found)


def reopen(server: Server, *signals: str) -> None:
    """As other tests expect to find them."""
    for signal in signals:
        body = {"data": {"id": signal, "type": "signal_metadata", "attributes": {"state": "open"}}}
        with server.client() as client:
            client.patch(f"{SIGNALS}/{signal}/state", json=body).raise_for_status()


def make_account(server: Server, email: str, password: str, role: str) -> None:
    """Of somebody who has this role, by its name, and no other."""
    roles = server.get("/api/v2/roles", **{"page[size]": "100"})["data"]
    role_id = next(each["id"] for each in roles if each["attributes"]["name"] == role)
    user = {
        "type": "users",
        "attributes": {"email": email, "name": role, "password": password},
        "relationships": {"roles": {"data": [{"id": role_id, "type": "roles"}]}},
    }
    server.post("/api/v2/users", {"data": user})


READER = "reader@example.com"
READERS_PASSWORD = "nothing but looking"


@pytest.fixture(scope="session")
def readers_account(web_server: Server) -> None:
    """The role of those who may look at everything and change nothing, given to somebody."""
    make_account(web_server, READER, READERS_PASSWORD, "Read Only")


@pytest.fixture
def reader(browser: Browser, web_server: Server, readers_account: None) -> Iterator[Person]:
    """Somebody who may look at everything and change nothing, signed in."""
    with entered(browser, web_server, READER, READERS_PASSWORD) as person:
        yield person


IS_BUSY = "document.querySelector('main :is([aria-busy=true], .mantine-Skeleton-root)')"
RESTS = f"() => document.querySelector('main h1') && !{IS_BUSY}"


def settled(person: Person) -> None:
    """Everything that the page asked for has come."""
    person.page.wait_for_function(RESTS)


STILL = f"""() => !{IS_BUSY} && document.getAnimations().every(
    (one) => one.playState !== 'running' || one.effect?.getComputedTiming().endTime === Infinity)"""
"""Whether what is asked, fades or moves has arrived; what turns for ever does not count. What is old stands paler while
the new is asked, and axe would judge those colours."""


def violations(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now."""
    page.wait_for_function(STILL)
    page.evaluate(AXE.read_text())  # evaluated, since the page's policy forbids inline scripts
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {json.dumps([n['html'][:160] for n in v['nodes'][:3]])}" for v in serious]


def violations_in_both_themes(person: Person) -> dict[str, list[str]]:
    """axe's serious findings by colour scheme; the page stays as it is and ends in the scheme that it began in."""
    found: dict[str, list[str]] = {}
    began = person.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    for scheme in ("light", "dark"):
        person.page.emulate_media(color_scheme=scheme)
        person.page.wait_for_function(
            f"() => document.documentElement.getAttribute('data-mantine-color-scheme') === '{scheme}'"
        )
        if serious := violations(person.page):
            found[scheme] = serious
    person.page.emulate_media(color_scheme=began)
    return found
