"""Suppressions, the signals that they hide, reference tables, and why there is a signal or none, in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from browser import Person, violations, violations_in_both_themes
from playwright.sync_api import Dialog, Page, expect
from server import Server
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
TABLES = "/api/v2/reference-tables/tables"
CSV = b'user,team,level\nana,red,3\nben,blue,\nana,green,1\n"de,x","a ""b""",-7\n'

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "Hatch rattled",
    "isEnabled": True,
    "message": "m",
    "tags": ["source:hatch"],
    "queries": [{"query": "source:hatch @outcome:failure", "aggregation": "count", "groupByFields": ["@usr.id"]}],
    "cases": [{"name": "much", "status": "high", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


def rattle(server: Server, user: str, count: int) -> None:
    at = datetime.now(UTC).isoformat()
    log = {"ddsource": "hatch", "message": "rattle", "timestamp": at, "outcome": "failure", "usr": {"id": user}}
    server.post("/api/v2/logs", [{**log, "number": number} for number in range(count)])


class Hatch:
    """A rule with a suppression that has hidden the signal of dan, and a user who came near."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.rule = str(server.post(RULES, RULE)["id"])
        attributes = {
            "name": "Agreed with dan",
            "enabled": True,
            "rule_query": f"ruleId:{self.rule}",
            "suppression_query": "@usr.id:dan",
        }
        made = server.post(SUPPRESSIONS, {"data": {"type": "suppressions", "attributes": attributes}})
        self.suppression = str(made["data"]["id"])

        def is_hidden() -> Any:
            rattle(server, "dan", 6)  # until all workers know the rule
            body = {"filter": {"query": f"@workflow.suppression.id:{self.suppression}", "from": "now-1h", "to": "now"}}
            return server.post("/api/v2/explore/suppressed/events", body)["data"]

        until(is_hidden, every=0.3)
        rattle(server, "eve", 3)
        body = {"filter": {"query": "source:hatch @usr.id:eve", "from": "now-1h", "to": "now"}}
        until(lambda: server.post("/api/v2/explore/logs/count", body)["data"]["count"], lambda count: count == 3)


@pytest.fixture(scope="module")
def hatch(web_server: Server) -> Iterator[Hatch]:
    hatch = Hatch(web_server)
    yield hatch
    for path in (f"{SUPPRESSIONS}/{hatch.suppression}", f"{RULES}/{hatch.rule}"):
        assert httpx.delete(web_server.url + path, headers=web_server.headers).is_success


def accept(page: Page) -> None:
    """Say yes to the next question."""

    def say_yes(dialog: Dialog) -> None:
        dialog.accept()

    page.once("dialog", say_yes)


def test_a_suppression_from_a_signal_to_its_end(ana: Person) -> None:
    page = ana.open("/signals?query=status%3Acritical")
    ana.rows().first.click()
    page.get_by_role("link", name="Suppress…").click()
    panel = page.get_by_role("complementary", name="New suppression")
    assert "ruleId:" in panel.get_by_label("Rules", exact=True).input_value()
    preview = panel.get_by_role("region", name="What it would have hidden").get_by_role("paragraph").first
    expect(preview).to_contain_text("in 30 days, of these 0 archived as true positive")
    expect(panel.get_by_text("nobody will be asked", exact=False)).to_be_visible()
    assert violations_in_both_themes(ana) == {}

    panel.get_by_label("Rules", exact=True).fill("source:(")
    expect(panel.get_by_label("Rules", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(panel.get_by_role("button", name="Create suppression")).to_be_disabled()
    panel.get_by_label("Rules", exact=True).fill("ruleId:aaa-aaa-aaa")
    panel.get_by_label("Name").fill("Only in this test")
    panel.get_by_role("button", name="30 days").click()
    panel.get_by_role("button", name="Create suppression").click()
    panel = page.get_by_role("complementary", name="Suppression: Only in this test")
    expect(panel.get_by_text("in force")).to_be_visible()

    switch = ana.switch("Only in this test")
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    panel.get_by_role("tab", name="Versions").click()
    expect(panel.get_by_text("Version 2", exact=True)).to_be_visible()
    expect(panel.locator("ins")).to_have_text("no")
    panel.get_by_role("button", name="Restore version 1 …").click()
    expect(panel.get_by_role("switch", name="Enabled")).to_be_checked()
    panel.get_by_role("button", name="Save").click()
    expect(switch).to_be_checked()
    panel.get_by_role("tab", name="Versions").click()
    expect(panel.get_by_text("Version 3", exact=True)).to_be_visible()
    panel.get_by_role("tab", name="Terraform").click()
    expect(panel.locator("pre")).to_contain_text('resource "datadog_security_monitoring_suppression"')
    expect(panel.locator("pre")).to_contain_text("Only in this test")
    page.get_by_label("Search suppressions").fill("only in this")
    page.wait_for_url("**/suppressions?*query=only*")  # so many rows there may have been before
    expect(page.get_by_role("row")).to_have_count(2)
    accept(page)
    panel.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No suppression matches this search")).to_be_visible()


def test_what_is_hidden_is_one_click_away_and_read_only(ana: Person, hatch: Hatch) -> None:
    page = ana.open("/suppressions?query=agreed")
    page.get_by_title("Signals that Agreed with dan hides").click()
    page.wait_for_url("**/signals/suppressed?*")
    expect(ana.rows()).to_have_count(1)
    expect(page.get_by_role("checkbox", name="Tick row 1")).to_have_count(0)
    ana.rows().first.click()
    panel = page.get_by_role("complementary", name="Signal: Hatch rattled - much")
    expect(panel.get_by_text("It stays hidden when the suppression ends")).to_be_visible()
    expect(panel.get_by_role("group", name="State")).to_have_count(0)
    panel.get_by_role("tab", name="Why").click()
    expect(panel.get_by_role("region", name="Condition").get_by_text("a > 5").first).to_be_visible()
    expect(
        panel.get_by_role("region", name="Rule and window").get_by_role("link", name="Agreed with dan")
    ).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    page.get_by_role("navigation", name="View").get_by_role("link", name="Signals").click()
    page.wait_for_url("**/signals?query=*")
    expect(page.get_by_text("No signals", exact=False).first).to_be_visible()


def test_what_is_kept_from_rules_is_told_and_opens_in_the_logs(ana: Person, hatch: Hatch) -> None:
    attributes = {"name": "Fay tests", "enabled": True, "rule_query": f"ruleId:{hatch.rule}"}
    body = {"type": "suppressions", "attributes": {**attributes, "data_exclusion_query": "@usr.id:fay"}}
    made = ana.server.post(SUPPRESSIONS, {"data": body})["data"]["id"]
    rattle(ana.server, "fay", 4)
    until(lambda: ana.server.get(f"{SUPPRESSIONS}/{made}/excluded")["data"]["attributes"]["events"] == 4, every=0.3)
    page = ana.open(f"/suppressions?open={made}")
    told = page.get_by_role("region", name="Kept from rules in 30 days")
    expect(told.get_by_role("paragraph").first).to_contain_text("4 events were kept from 1 rule.")
    expect(told.get_by_role("link", name="Hatch rattled")).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    told.get_by_role("link", name="these events in Logs").click()
    page.wait_for_url("**/logs?*")
    expect(ana.rows()).to_have_count(4)


def test_a_preview_names_the_suppressions_that_would_hide(ana: Person, hatch: Hatch) -> None:
    page = ana.open(f"/rules/{hatch.rule}?from=now-1h&to=now")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview.get_by_text("would be hidden, by")).to_be_visible()
    expect(preview.get_by_role("link", name="Agreed with dan")).to_be_visible()
    expect(preview.get_by_role("list", name="Signals that the rule").get_by_text("would be hidden")).to_be_visible()


def test_a_row_that_a_colleague_changed_is_marked_in_its_place(ana: Person) -> None:
    page = ana.open("/signals?query=%40workflow.triage.state%3Aopen+status%3Amedium")
    expect(ana.rows().nth(1)).to_be_visible()
    ana.rows().nth(1).click()
    page.wait_for_url("**event=*")
    event = page.url.partition("event=")[2].partition("&")[0]
    page.keyboard.press("Escape")
    path = f"/api/v2/security_monitoring/signals/{event}/state"
    for state in ("archived", "open"):
        body = {"data": {"id": event, "type": "signal_metadata", "attributes": {"state": state}}}
        answer = httpx.patch(ana.server.url + path, json=body, headers=ana.server.headers)
        assert answer.is_success, answer.text
        if state == "archived":
            marked = page.locator("[role=row][data-marked]")
            expect(marked).to_have_count(1)
            expect(marked).to_contain_text("Archived")
            expect(marked).to_have_attribute("aria-rowindex", "3")


def test_a_rule_says_by_how_much_it_did_not_fire(ana: Person, hatch: Hatch) -> None:
    page = ana.open(f"/rules/{hatch.rule}?tab=why-not")
    page.get_by_label("Value of @usr.id").fill("eve")
    page.get_by_role("button", name="Why not?").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_role("heading", name="It did not fire")).to_be_visible()
    expect(answer.get_by_role("table").get_by_role("row").nth(1)).to_contain_text("> 5")
    expect(answer.get_by_text("count of a was 3 of > 5 (lacks 3)", exact=False).first).to_be_visible()
    assert violations_in_both_themes(ana) == {}


def test_a_table_from_a_file_to_its_end(ana: Person) -> None:
    page = ana.open("/tables")
    page.get_by_role("button", name="New table").click()
    page.get_by_label("CSV file", exact=True).set_input_files(
        {"name": "hatch staff.csv", "mimeType": "text/csv", "buffer": CSV}
    )
    expect(page.get_by_label("Name")).to_have_value("hatch_staff")
    page.get_by_label("user is the primary key").check()
    page.get_by_label("team is the primary key").uncheck()  # proposed, since its values are all different
    expect(page.get_by_text("line 4 the primary key 'ana' was there before")).to_be_visible()
    assert violations_in_both_themes(ana) == {}
    page.get_by_role("button", name="Create the table with 3 rows").click()
    expect(page.get_by_role("heading", name="hatch_staff")).to_be_visible()

    page.get_by_role("button", name="level of ben: empty, change").click()
    page.get_by_label("level of ben").fill("many")
    page.keyboard.press("Enter")
    expect(page.get_by_text("level: 'many' is no whole number", exact=False)).to_be_visible()
    page.get_by_label("level of ben").fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="level of ben: 4, change")).to_be_visible()
    page.get_by_role("button", name="Add a row").click()
    page.get_by_label("user of the new row").fill("ana")
    page.keyboard.press("Enter")
    expect(page.get_by_text("There is a row “ana” already", exact=False)).to_be_visible()
    page.get_by_label("user of the new row").fill("fay")
    page.get_by_label("team of the new row").fill("Red")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="team of fay: Red, change")).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_label("Search rows").fill("red")
    expect(page.get_by_role("row")).to_have_count(3)
    accept(page)
    page.get_by_role("button", name="Delete the row fay").click()
    expect(page.get_by_role("row")).to_have_count(2)
    assert violations(page) == []

    page.get_by_role("button", name="Add from CSV").click()
    more = {"name": "more.csv", "mimeType": "text/csv", "buffer": b"user,team,level\ncy,red,1\nana,green,\n"}
    page.get_by_label("CSV file", exact=True).set_input_files(more)
    page.get_by_role("button", name="Add 2 rows").click()
    expect(page.get_by_text("1 row added, 1 changed")).to_be_visible()

    server = ana.server
    reference = {"tableName": "hatch_staff", "columnName": "user", "logFieldPath": "usr.id", "checkPresence": True}
    rule = server.post(RULES, {**RULE, "name": "Staff at the hatch", "referenceTables": [reference]})["id"]
    page.reload()
    expect(page.get_by_role("link", name="Staff at the hatch")).to_be_visible()

    def delete() -> None:
        page.get_by_role("button", name="More").click()
        accept(page)
        page.get_by_role("menuitem", name="Delete the table").click()

    delete()
    expect(page.get_by_text("is used by the rule 'Staff at the hatch'", exact=False)).to_be_visible()
    assert httpx.delete(f"{server.url}{RULES}/{rule}", headers=server.headers).is_success
    delete()
    page.wait_for_url("**/tables")
    assert server.get(TABLES, **{"filter[table_name][exact]": "hatch_staff"})["data"] == []
