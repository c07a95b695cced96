"""People who are faster than the server: what they type, click and move while an answer is on its way is kept.

The answers are held back until the hand was faster; nothing here depends on how long anything takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from browser import Person, settled
from playwright.sync_api import Page, Request, Route, expect
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
PIPELINES = "/api/v1/logs/config/pipelines"
ORDER = "/api/v1/logs/config/pipeline-order"
RULE: dict[str, Any] = {
    "name": "Shutter rattled",
    "isEnabled": True,
    "message": "m",
    "tags": ["source:shutter"],
    "queries": [{"query": "source:shutter", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "low", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


@contextmanager
def held(page: Page, method: str, path: str) -> Iterator[None]:
    """Requests that begin inside reach the server at the end: whoever asked goes on without an answer."""
    waiting: list[Route] = []
    is_over = False

    def hold(route: Route) -> None:
        if route.request.method == method and not is_over:
            waiting.append(route)
        else:
            route.continue_()

    page.route(f"**{path}", hold)
    yield
    assert waiting, "nothing was asked"
    is_over = True  # what is asked from here on, before the route is gone, would wait for ever
    for route in waiting:
        route.continue_()
    page.unroute(f"**{path}")


def test_what_is_typed_while_a_rule_is_saved_is_kept(ana: Person) -> None:
    rule = ana.server.post(RULES, RULE)["id"]
    page = ana.open(f"/rules/{rule}")
    condition = page.get_by_label("Condition of case 1")
    condition.fill("a > 7")
    name = page.get_by_label("Name", exact=True)
    with held(page, "PUT", f"{RULES}/{rule}"):
        with page.expect_request(lambda request: request.method == "PUT"):
            page.get_by_role("button", name="Save").click()
        name.fill("Shutter rattled twice")
    expect(page.get_by_text("version 2").first).to_be_visible()
    expect(name).to_have_value("Shutter rattled twice")
    expect(name).to_be_focused()  # the form is the same one
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("version 3").first).to_be_visible()
    stored = ana.server.get(f"{RULES}/{rule}")
    assert (stored["name"], stored["cases"][0]["condition"]) == ("Shutter rattled twice", "a > 7")
    ana.server.client().delete(f"{RULES}/{rule}").raise_for_status()


def test_a_rule_that_was_read_before_does_not_replace_what_is_typed(ana: Person) -> None:
    """The page shows at once what it knows of the rule; the newer version comes while somebody types."""
    rule = ana.server.post(RULES, RULE)["id"]
    page = ana.open(f"/rules/{rule}")
    expect(page.get_by_label("Condition of case 1")).to_have_value("a > 5")
    ana.server.client().put(f"{RULES}/{rule}", json={"tags": ["source:shutter", "team:soc"]}).raise_for_status()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Rules").click()
    page.get_by_label("Search rules").fill("shutter")
    page.clock.install()
    page.clock.fast_forward(60_000)  # what the page knows is old by now
    with page.expect_response(f"**{RULES}/{rule}"), held(page, "GET", f"{RULES}/{rule}"):
        with page.expect_request(f"**{RULES}/{rule}"):
            page.get_by_role("link", name="Shutter rattled").click()
        page.get_by_label("Condition of case 1").fill("a > 8")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("saved this rule meanwhile")).to_be_visible()
    expect(page.get_by_label("Condition of case 1")).to_have_value("a > 8")
    ana.server.client().delete(f"{RULES}/{rule}").raise_for_status()


def test_what_is_typed_while_a_suppression_is_saved_is_kept(ana: Person) -> None:
    attributes = {"name": "Shutters", "enabled": True, "rule_query": "source:shutter", "suppression_query": "@usr.id:x"}
    body = {"data": {"type": "suppressions", "attributes": attributes}}
    made = ana.server.post(SUPPRESSIONS, body)["data"]["id"]
    page = ana.open(f"/suppressions?open={made}")
    panel = page.get_by_role("complementary")
    panel.get_by_label("Name").fill("All shutters")
    with held(page, "PATCH", f"{SUPPRESSIONS}/{made}"):
        with page.expect_request(lambda request: request.method == "PATCH"):
            panel.get_by_role("button", name="Save").click()
        panel.get_by_label("Why").fill("They rattle in the wind")
    expect(panel.get_by_text("version 2")).to_be_visible()
    expect(panel.get_by_label("Why")).to_have_value("They rattle in the wind")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("version 3")).to_be_visible()
    stored = ana.server.get(f"{SUPPRESSIONS}/{made}")["data"]["attributes"]
    assert (stored["name"], stored["description"]) == ("All shutters", "They rattle in the wind")
    httpx.delete(f"{ana.server.url}{SUPPRESSIONS}/{made}", headers=ana.server.headers).raise_for_status()


def test_pipelines_that_are_moved_while_an_order_is_saved_stay_where_they_were_put(ana: Person) -> None:
    server = ana.server
    draft = {"is_enabled": True, "filter": {"query": "source:shutter"}, "processors": []}
    made = [server.post(PIPELINES, {**draft, "name": name})["id"] for name in ("Shutters", "Blinds")]
    before = server.get(ORDER)["pipeline_ids"][:-2]
    page = ana.open("/pipelines")
    with held(page, "PUT", ORDER):
        with page.expect_request(lambda request: request.method == "PUT"):
            page.get_by_role("button", name="Move Shutters").press("ArrowUp")
        page.get_by_role("button", name="Move Blinds").press("ArrowUp")
    wanted = [*before[:-1], made[0], made[1], before[-1]]
    until(lambda: server.get(ORDER)["pipeline_ids"], lambda order: order == wanted)
    settled(ana)
    names = page.get_by_role("row").filter(has_text="source:shutter").get_by_role("link")
    expect(names.first).to_have_text("Shutters")
    for pipeline in made:
        httpx.delete(f"{server.url}{PIPELINES}/{pipeline}", headers=server.headers).raise_for_status()


def test_two_clicks_in_the_facets_before_the_page_shows_the_first(ana: Person) -> None:
    page = ana.open("/signals")
    severities = page.get_by_role("region", name="Severity")
    expect(severities.get_by_role("checkbox").nth(1)).to_be_visible()
    severities.evaluate("(all) => [0, 1].forEach((at) => all.querySelectorAll('[role=checkbox]')[at].click())")
    expect(severities.get_by_role("checkbox", checked=True)).to_have_count(2)


def test_a_switch_keeps_the_focus_while_its_change_is_on_its_way(ana: Person) -> None:
    rule = ana.server.post(RULES, RULE)["id"]
    page = ana.open("/rules?query=shutter")
    switch = page.get_by_role("switch", name="Shutter rattled enabled")
    switch.focus()

    def is_change(request: Request) -> bool:
        return request.method == "PUT"

    with held(page, "PUT", f"{RULES}/{rule}"):
        with page.expect_request(is_change):
            page.keyboard.press("Space")
        expect(switch).not_to_be_checked()
        expect(switch).to_be_focused()
    expect(switch).to_be_enabled()
    expect(switch).to_be_focused()
    assert ana.server.get(f"{RULES}/{rule}")["isEnabled"] is False
    ana.server.client().delete(f"{RULES}/{rule}").raise_for_status()


def test_an_update_on_its_way_moves_no_row_under_the_pointer(ana: Person) -> None:
    page, server = ana.page, ana.server
    path = "/api/v2/explore/logs/events"

    def log(message: str) -> None:
        server.post("/api/v2/logs", [{"ddsource": "blind", "message": message}])
        question = {"filter": {"query": message, "from": "now-1h", "to": "now"}, "page": {"limit": 1}}
        until(lambda: server.post(path, question)["data"])

    log("standing")
    ana.open("/logs?query=source:blind")
    expect(ana.rows()).to_have_count(1)
    settled(ana)
    with held(page, "POST", path):
        with page.expect_request(f"**{path}"):
            log("moving")  # counted by itself within seconds, and then asked for
        ana.rows().first.hover()
    expect(page.get_by_role("grid")).to_have_attribute("aria-busy", "false")
    settled(ana)
    expect(ana.rows()).to_have_count(1)
    page.get_by_role("textbox", name="Search logs").hover()
    expect(ana.rows()).to_have_count(2)
    expect(ana.rows().first).to_contain_text("moving")
