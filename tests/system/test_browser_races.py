"""People who are faster than the server: what they type, click and move while an answer is on its way is kept.

The answers are held back until the hand was faster; nothing here depends on how long anything takes.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import SIGNALS, Person, held, opened, reopen, settled, state_button, triage_of, wait_for_one
from playwright.sync_api import Locator, Page, Request, Route, expect
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
PIPELINES = "/api/v1/logs/config/pipelines"
ORDER = "/api/v1/logs/config/pipeline-order"
LIST = "/api/v2/explore/signals/events"
OPEN = "query=%40workflow.triage.state%3Aopen"
RULE: dict[str, Any] = {
    "name": "Shutter rattled",
    "isEnabled": True,
    "message": "m",
    "tags": ["source:shutter"],
    "queries": [{"query": "source:shutter", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "low", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


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


@pytest.fixture
def signal(ana: Person) -> Iterator[str]:
    """The id of an open signal, which is open again at the end."""
    body = {"filter": {"query": "@workflow.triage.state:open", "from": "now-7d", "to": "now"}, "page": {"limit": 1}}
    found = str(ana.server.post(LIST, body)["data"][0]["id"])
    yield found
    reopen(ana.server, found)


def state(page: Page, name: str) -> Locator:
    """Whether the panel says that the signal is in it."""
    return state_button(page, name).and_(page.locator("[aria-pressed=true]"))


def is_update(request: Request) -> bool:
    return request.method == "PATCH" and request.url.endswith("/update")


def test_a_key_that_comes_before_the_list_acts_on_the_open_signal(ana: Person, signal: str) -> None:
    page = ana.page
    with held(page, "POST", LIST):
        ana.open(f"/signals?event={signal}")
        page.get_by_role("tab", name="Timeline").wait_for()
        page.keyboard.press("u")
        expect(state(page, "Under review")).to_be_visible()
    expect(ana.rows().first).to_be_visible()
    settled(ana)
    expect(state(page, "Under review")).to_be_visible()
    assert triage_of(ana.server, signal)["state"] == "under_review"


def test_a_key_that_comes_before_the_signal_asks_for_the_reason_once_it_is_there(ana: Person, signal: str) -> None:
    page = ana.page
    with held(page, "POST", LIST) as rows, held(page, "GET", f"{SIGNALS}/*") as panel:
        ana.open(f"/signals?event={signal}")
        page.get_by_role("complementary", name="Signal", exact=True).wait_for()
        page.keyboard.press("e")
        wait_for_one(page, rows)
        wait_for_one(page, panel)
    expect(page.get_by_role("form", name="Archive this signal")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("form", name="Archive this signal")).to_have_count(0)


def test_what_is_written_about_a_signal_outlives_the_answer_about_another(ana: Person) -> None:
    """And it is there again for somebody who looked at another signal meanwhile."""
    page = ana.open(f"/signals?{OPEN}")
    rows = ana.rows()
    form = page.get_by_role("form", name="Archive this signal")
    rows.nth(0).click()
    page.get_by_role("tab", name="Timeline").wait_for()
    expect(rows.nth(0)).to_have_attribute("data-open", "true")
    first = opened(page)
    page.keyboard.press("e")
    with held(page, "PATCH", f"{SIGNALS}/*/update") as waiting:
        form.get_by_role("button", name="Archive").click()
        wait_for_one(page, waiting)
        rows.nth(1).click()
        expect(form).to_have_count(0)
        page.keyboard.press("e")
        form.get_by_label("Comment").fill("Not finished")
    until(lambda: triage_of(ana.server, first), lambda found: found["state"] == "archived")
    settled(ana)
    expect(form.get_by_label("Comment")).to_have_value("Not finished")
    rows.nth(2).click()
    expect(form).to_have_count(0)
    rows.nth(1).click()
    expect(form.get_by_label("Comment")).to_have_value("Not finished")
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)
    reopen(ana.server, first)


def test_keys_act_on_the_signal_that_the_browser_went_back_to(ana: Person) -> None:
    page = ana.open(f"/signals?{OPEN}")
    rows = ana.rows()
    panel = page.get_by_role("tab", name="Timeline")
    rows.nth(0).click()
    panel.wait_for()
    expect(rows.nth(0)).to_have_attribute("data-open", "true")
    first = opened(page)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    rows.nth(1).click()
    panel.wait_for()
    expect(rows.nth(1)).to_have_attribute("data-open", "true")
    page.evaluate("() => history.go(-2)")
    expect(rows.nth(0)).to_have_attribute("data-open", "true")
    with page.expect_request(is_update) as asked:
        page.keyboard.press("u")
    assert json.loads(asked.value.post_data or "")["data"]["id"] == first
    expect(state(page, "Under review")).to_be_visible()
    reopen(ana.server, first)


def test_an_answer_from_before_a_decision_does_not_undo_it(ana: Person) -> None:
    page = ana.open(f"/signals?{OPEN}")
    with held(page, "GET", f"{SIGNALS}/*", is_answered=True) as waiting:
        ana.rows().first.click()
        wait_for_one(page, waiting)
        expect(state(page, "Open")).to_be_visible()  # as its row says
        page.keyboard.press("u")
        expect(state(page, "Under review")).to_be_visible()
    settled(ana)
    expect(state(page, "Under review")).to_be_visible()
    assert triage_of(ana.server, opened(page))["state"] == "under_review"
    reopen(ana.server, opened(page))


def test_two_keys_at_once_are_two_decisions(ana: Person, signal: str) -> None:
    page = ana.open(f"/signals?event={signal}")
    before = triage_of(ana.server, signal)["version"]
    expect(state(page, "Open")).to_be_visible()
    with held(page, "PATCH", f"{SIGNALS}/*/update"):
        with page.expect_request(is_update):
            page.keyboard.press("u")
        page.keyboard.press("r")
    after = until(lambda: triage_of(ana.server, signal), lambda found: found["version"] == before + 2)
    assert after["state"] == "open"
    expect(state(page, "Open")).to_be_visible()
    expect(page.get_by_text("Somebody changed this signal meanwhile")).to_have_count(0)


def test_what_a_colleague_decided_is_known_to_the_next_key(ana: Person) -> None:
    """The list stands still since it is paused; the panel says what the colleague did."""
    page = ana.page
    with page.expect_response(f"**{LIST}") as listed:
        ana.open(f"/signals?paused=1&{OPEN}")
    signal = listed.value.json()["data"][0]["id"]
    body = {"data": {"id": signal, "type": "signal_metadata", "attributes": {"state": "under_review"}}}
    ana.server.client().patch(f"{SIGNALS}/{signal}/state", json=body).raise_for_status()
    ana.rows().first.click()
    expect(state(page, "Under review")).to_be_visible()
    assert opened(page) == signal
    page.keyboard.press("r")
    expect(state(page, "Open")).to_be_visible()
    until(lambda: triage_of(ana.server, signal)["state"] == "open")


def test_keys_that_are_faster_than_the_address_are_not_lost(ana: Person) -> None:
    page = ana.open("/signals")
    expect(ana.rows().nth(2)).to_be_visible()
    page.evaluate("""async () => {
        for (const key of ['j', 'Enter', 'j', 'j']) {
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
            await null
        }
    }""")
    third = ana.rows().nth(2)
    expect(third).to_have_attribute("data-open", "true")
    expect(third).to_have_attribute("data-current", "true")
    settled(ana)
    expect(third).to_have_attribute("data-open", "true")


def test_a_state_that_was_chosen_by_keyboard_keeps_the_focus(ana: Person, signal: str) -> None:
    page = ana.open(f"/signals?event={signal}")
    button = page.get_by_role("group", name="State", exact=True).get_by_role("button", name="Under review")
    with held(page, "PATCH", f"{SIGNALS}/*/update"):
        with page.expect_request(is_update):
            button.press("Enter")
        expect(page.get_by_label("Saving")).to_be_visible()
        expect(button).to_be_focused()
    expect(state(page, "Under review")).to_be_visible()
    expect(button).to_be_focused()


def test_a_key_decides_about_all_ticked_signals_and_can_be_undone(ana: Person) -> None:
    page = ana.open("/signals")
    page.get_by_role("checkbox", name="Tick row 1", exact=True).press("Space")
    page.get_by_role("checkbox", name="Tick row 2", exact=True).press("Space")
    bar = page.get_by_role("region", name="Ticked signals")
    expect(bar).to_contain_text("2 signals ticked")
    page.get_by_role("grid").focus()
    page.keyboard.press("u")
    page.keyboard.press("a")
    expect(bar).to_contain_text("Assigned to you: 2 signals")
    expect(ana.rows().nth(0)).to_contain_text("Under review")
    expect(ana.rows().nth(1)).to_contain_text("Under review")
    bar.get_by_role("button", name="Undo").click()
    expect(bar).to_contain_text("Undone: 2 signals")
    page.get_by_role("grid").focus()
    page.keyboard.press("r")
    expect(bar).to_contain_text("Reopened: 2 signals")
    expect(ana.rows().nth(1)).to_contain_text("Open")


def test_what_is_typed_after_a_search_was_sent_is_kept(ana: Person) -> None:
    page = ana.open("/logs?query=source:shutter")
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.press("End")
    page.keyboard.type("-a")
    page.evaluate("""() => {
        const editor = document.querySelector('.cm-content')
        editor.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
        document.execCommand('insertText', false, 'nd-more')
    }""")
    page.wait_for_url(re.compile("shutter-a$"))
    settled(ana)
    expect(editor).to_have_text("source:shutter-and-more")


def test_what_arrives_while_the_list_is_on_its_way_is_seen(ana: Person) -> None:
    """The list that was read before it came is followed by one that has it, whatever else was asked meanwhile."""
    page, server = ana.page, ana.server
    path = "/api/v2/explore/logs"
    early: list[Route] = []

    def hold(route: Route) -> None:
        if "ingested_after" in (route.request.post_data or ""):
            route.continue_()
        else:
            early.append(route)

    page.route(f"**{path}/count", hold)
    with held(page, "POST", f"{path}/events", is_answered=True) as waiting:
        ana.open("/logs?query=source:awning")
        wait_for_one(page, waiting)
        server.post("/api/v2/logs", [{"ddsource": "awning", "message": "rolled out"}])
        question = {"filter": {"query": "source:awning", "from": "now-1h", "to": "now"}, "page": {"limit": 1}}
        until(lambda: server.post(f"{path}/events", question)["data"])
        for route in early:
            route.continue_()
    expect(ana.rows().first).to_contain_text("rolled out")


def test_a_dialog_rests_and_stays_while_it_is_saved(ana: Person) -> None:
    page = ana.open("/settings/keys")
    page.get_by_role("button", name="New key").first.click()
    dialog = page.get_by_role("dialog", name="New API key")
    dialog.get_by_label("Name").fill("for the probe")
    with held(page, "POST", "/api/v2/api_keys") as waiting:
        page.keyboard.press("Enter")
        wait_for_one(page, waiting)
        page.keyboard.type(" and the next one")
        page.keyboard.press("Escape")
        expect(dialog).to_be_visible()  # gone, it could not show the key, which is shown once
    expect(dialog.get_by_role("button", name="Copy the key")).to_be_visible()
    page.keyboard.press("Escape")
    row = page.get_by_role("region", name="API keys").get_by_role("row").filter(has_text="for the probe")
    expect(row).not_to_contain_text("and the next one")
    page.once("dialog", lambda asked: asked.accept())
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
