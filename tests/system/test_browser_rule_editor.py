"""The rule editor in a real browser: every method as a form, preview and tests while typing, versions, conflicts."""

import json
import re
from typing import Any

import pytest
from browser import Person, entered, make_account, violations_in_both_themes
from playwright.sync_api import Browser, Locator, Page, expect
from server import Server

pytestmark = [pytest.mark.system, pytest.mark.browser]

RULES = "/api/v2/security_monitoring/rules"
SSHD = "source:sshd @evt.outcome:failure"
LOG = {"ddsource": "sshd", "message": "Failed password for root from 203.0.113.9 port 4022 ssh2"}
RULE: dict[str, Any] = {
    "name": "Latch rattled",
    "isEnabled": True,
    "message": "Look at {{@usr.id}}.",
    "tags": ["source:latch"],
    "queries": [{"query": "source:latch", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "low", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 300, "maxSignalDuration": 3600},
}


def write(page: Page, label: str, text: str) -> None:
    """Into a query's editor, which is no input."""
    box = page.get_by_role("textbox", name=label, exact=True)
    box.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(text)


def add_tag(page: Page, label: str, value: str, at: int = 0) -> None:
    box = page.get_by_label(label, exact=True).and_(page.locator("input:not([type=hidden])")).nth(at)
    box.fill(value)
    page.keyboard.press("Enter")


def created(page: Page) -> str:
    """The id of the rule that was just created, once its page has taken the place of the form."""
    page.wait_for_url("**/rules/*-*-*")
    expect(page.get_by_text("version 1").first).to_be_visible()
    return page.url.split("?")[0].rsplit("/", 1)[1]


def is_complete(page: Page) -> None:
    expect(page.get_by_text("Before it can be saved")).to_have_count(0)
    expect(page.get_by_role("button", name="Create rule")).to_be_enabled()


def new_value(page: Page) -> None:
    add_tag(page, "New values of", "@usr.name")


def content_anomaly(page: Page) -> None:
    add_tag(page, "Compares the words of", "@usr.name")


def sequence(page: Page) -> None:
    write(page, "Query b", "source:sshd @evt.outcome:success")


def correlation(page: Page) -> None:
    for at, name in enumerate(("SSH passwords guessed from one address", "AWS root account signed in")):
        page.get_by_role("combobox", name="Signals of the rule").nth(at).fill(name)
        page.get_by_role("option", name=name, exact=True).click()
        add_tag(page, "That meet by", "@network.client.ip", at)


METHODS = {
    "Threshold": (lambda page: None, "threshold"),
    "New value": (new_value, "new_value"),
    "Anomaly": (lambda page: None, "anomaly_detection"),
    "Content anomaly": (content_anomaly, "content_anomaly"),
    "Impossible travel": (lambda page: None, "impossible_travel"),
    "Sequence": (sequence, "sequence_detection"),
    "Third party": (lambda page: None, "third_party"),
    "Signal correlation": (correlation, "threshold"),
}


def test_every_method_is_a_form_that_makes_a_valid_rule(ana: Person) -> None:
    page = ana.open("/rules/new")
    page.get_by_label("Name", exact=True).fill("Everything in turn")
    for name, (complete, method) in METHODS.items():
        page.get_by_role("radio", name=name, exact=True).click()
        if name != "Signal correlation":
            write(page, "Root query 1" if name == "Third party" else "Query a", SSHD)
        complete(page)
        is_complete(page)
        page.get_by_role("tab", name="JSON").click()
        page.get_by_role("textbox", name="Rule as JSON").wait_for()
        expect(page.get_by_text(f'"detectionMethod": "{method}"')).to_be_visible()
        page.get_by_role("tab", name="Edit").click()
    found = violations_in_both_themes(ana)
    page.evaluate("() => { window.onbeforeunload = null }")
    assert found == {}


def test_a_rule_from_the_first_letter_to_its_third_version(ana: Person) -> None:
    page = ana.open("/rules/new?from=now-2d&to=now")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview.get_by_text("Write a query")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Latch guessed by {{@network.client.ip}}")
    write(page, "Query a", SSHD)
    add_tag(page, "Grouped by", "@network.client.ip")
    # the condition names a query that is not there: said at its field, and in JSON at its line
    condition = page.get_by_label("Condition of case 1")
    condition.fill("b > 10")
    expect(page.get_by_text("Before it can be saved")).to_be_visible()
    expect(page.get_by_role("button", name="Create rule")).to_be_disabled()
    page.get_by_role("tab", name="JSON").click()
    expect(page.locator(".cm-lintRange-error").first).to_be_visible()
    page.get_by_role("tab", name="Edit").click()
    condition.fill("a > 10")
    is_complete(page)
    # what it would have raised
    expect(preview.get_by_text("Over stored logs")).to_be_visible()
    signals = preview.get_by_role("list", name="Signals that the rule would have raised")
    expect(signals.get_by_role("listitem").first).to_contain_text("Latch guessed by")
    page.get_by_label("Playbook, in Markdown").fill("Ask **{{@usr.id}}**.")
    rendered = page.get_by_role("group", name="Preview of the message")
    expect(rendered.locator("strong").filter(has_not_text="{{")).to_have_count(1)
    # tests
    page.get_by_role("tab", name="Tests").click()
    page.get_by_label("Add logs").fill(json.dumps(LOG))
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Add logs").fill("hello")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Run 2 tests").click()
    expect(page.get_by_text("1 log of 2 does not do as expected")).to_be_visible()
    page.get_by_role("radiogroup", name="Expected of test 2").get_by_text("must not").click()
    page.get_by_role("button", name="Run 2 tests").click()
    expect(page.get_by_text("All 2 logs do as expected")).to_be_visible()
    page.get_by_role("button", name="Create rule").click()
    rule_id = created(page)
    stored = ana.server.get(f"{RULES}/{rule_id}")
    assert stored["tests"] == {
        "match": [{"query": 0, "event": LOG}],
        "no_match": [{"query": 0, "event": {"message": "hello"}}],
    }
    assert stored["queries"][0]["groupByFields"] == ["@network.client.ip"]
    # the second version, compared with the first, which comes back as the third
    page.get_by_label("Condition of case 1").fill("a > 20")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("version 2").first).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    expect(page.locator("td[data-kind=removed]")).to_contain_text("a > 10")
    expect(page.locator("td[data-kind=added]")).to_contain_text("a > 20")
    assert violations_in_both_themes(ana) == {}
    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("dialog")).to_be_hidden()  # which says the same before it is so
    expect(page.get_by_text("version 3").first).to_be_visible()
    assert ana.server.get(f"{RULES}/{rule_id}")["cases"][0]["condition"] == "a > 10"
    # a clone begins as the rule and is left without being made; then the rule goes
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Clone").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Copy of Latch guessed by {{@network.client.ip}}")
    questions: list[str] = []
    page.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept()))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Rules").click()
    page.get_by_label("Search rules").wait_for()
    assert questions == ["Leave without saving the changes to this rule?"]
    ana.open(f"/rules/{rule_id}")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete rule").click()
    page.get_by_label("Search rules").wait_for()
    assert rule_id not in [rule["id"] for rule in ana.server.get(RULES, query="latch")["data"]]


def test_a_rule_with_a_schedule_and_calculated_fields_is_written_without_json(ana: Person) -> None:
    page = ana.open("/rules/new")
    page.get_by_label("Name", exact=True).fill("Latch open for long")
    page.get_by_text("On a schedule", exact=True).click()
    runs = page.get_by_role("region", name="Runs")
    choose(page, "Repeats", "By the week")
    choose(page, "On", "Friday")
    page.keyboard.press("Escape")
    choose(page, "Time zone", "Europe/Paris", search="Paris")
    runs.get_by_label("From").fill("2030-01-01T07:45:00")
    expect(runs).to_contain_text("Every Friday at 06:00, Europe/Paris time")
    times = runs.get_by_role("list", name="Next runs").get_by_role("listitem")
    expect(times).to_have_count(5)
    expect(times.first).to_contain_text("2030-01-04 05:00:00")
    # a formula that cannot be read is told at its field; then the query reads the field
    page.get_by_role("button", name="Add a field").click()
    page.get_by_label("Name of field 1").fill("open_ms")
    expression = page.get_by_label("Expression of field 1")
    expression.fill("@closed_at - ")
    write(page, "Query a", "source:latch #open_ms:>5000")
    expect(page.get_by_role("region", name="Calculated fields")).to_contain_text("Expression of #open_ms")
    expression.fill("@closed_at - @opened_at")
    is_complete(page)
    # what a sequence cannot have is told, and comes back
    page.get_by_role("radio", name="Sequence", exact=True).click()
    expect(page.get_by_text("Without: the schedule, 1 calculated field")).to_be_visible()
    page.get_by_role("radio", name="New value", exact=True).click()
    expect(runs).to_contain_text("Every Friday at 06:00")
    page.get_by_role("radio", name="Threshold", exact=True).click()
    # who hears of each new value, and which logs a table lets through
    page.get_by_role("button", name="Notify").click()
    add_tag(page, "Recipients of case 1", "@slack-soc")
    add_tag(page, "@slack-soc is also told each new value of", "@usr.id")
    page.get_by_role("button", name="Add a filter").click()
    fill(page, "Attribute of filter 1", "@usr.id")
    fill(page, "Table of filter 1", "guests")
    fill(page, "Column of filter 1", "id")
    page.get_by_label("Title of notifications names the group").check()
    is_complete(page)
    assert violations_in_both_themes(ana) == {}
    page.get_by_role("button", name="Create rule").click()
    rule_id = created(page)
    stored = ana.server.get(f"{RULES}/{rule_id}")
    assert stored["schedulingOptions"] == {
        "rrule": "FREQ=WEEKLY;BYDAY=FR;BYHOUR=6;BYMINUTE=0",
        "start": "2030-01-01T07:45:00",
        "timezone": "Europe/Paris",
    }
    assert stored["calculatedFields"] == [{"name": "open_ms", "expression": "@closed_at - @opened_at"}]
    assert stored["cases"][0]["everyNewValue"] == [{"recipient": "@slack-soc", "attribute": "@usr.id"}]
    assert stored["referenceTables"] == [
        {"tableName": "guests", "columnName": "id", "logFieldPath": "@usr.id", "checkPresence": True}
    ]
    assert stored["hasExtendedTitle"] is True
    # without its schedule the rule looks at logs as they come in; what goes with one has to go too
    page.get_by_text("As logs come in", exact=True).click()
    expect(page.get_by_text("Calculated fields go with scheduled rules").first).to_be_visible()
    page.get_by_role("button", name="Remove field 1").click()
    write(page, "Query a", "source:latch")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("version 2").first).to_be_visible()
    assert "schedulingOptions" not in ana.server.get(f"{RULES}/{rule_id}")
    ana.server.client().delete(f"{RULES}/{rule_id}").raise_for_status()


def fill(page: Page, label: str, text: str) -> None:
    """Into an input with suggestions, whose list has the same label."""
    page.get_by_label(label, exact=True).and_(page.locator("input:not([type=hidden])")).fill(text)


def choose(page: Page, label: str, option: str, search: str | None = None) -> None:
    """An option of a select."""
    box = page.get_by_role("textbox", name=label, exact=True).or_(page.get_by_role("combobox", name=label, exact=True))
    box.click()
    if search is not None:
        box.fill(search)
    page.get_by_role("option", name=option, exact=True).click()


def test_who_comes_second_is_told_and_loses_nothing(ana: Person) -> None:
    rule_id = ana.server.post(RULES, RULE)["id"]
    page = ana.open(f"/rules/{rule_id}")
    page.get_by_label("Condition of case 1").fill("a > 7")
    put(ana.server, rule_id, {"tags": ["source:latch", "team:soc"]})
    page.get_by_role("button", name="Save").click()
    told = page.get_by_role("alert").filter(has_text="saved this rule meanwhile")
    expect(told).to_contain_text("tags")
    told.get_by_role("button", name="Keep editing mine").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("version 3").first).to_be_visible()
    stored = ana.server.get(f"{RULES}/{rule_id}")
    assert (stored["tags"], stored["cases"][0]["condition"]) == (["source:latch", "team:soc"], "a > 7")
    page.get_by_role("tab", name="Suppressions").click()
    page.get_by_role("link", name="Add a suppression for this rule").click()
    page.wait_for_url(f"**/suppressions?rule={rule_id}")
    expect(page.get_by_role("heading", name="Suppressions")).to_be_visible()
    ana.server.client().delete(f"{RULES}/{rule_id}").raise_for_status()


def test_several_rules_are_switched_off_and_deleted_at_once(ana: Person) -> None:
    made = [ana.server.post(RULES, {**RULE, "name": f"Spare latch {n}"})["id"] for n in (1, 2)]
    page = ana.open("/rules?query=latch%20source:sshd")
    expect(page.get_by_text("No rule matches this search")).to_be_visible()
    page.get_by_role("button", name="Show all rules").click()
    page.get_by_label("Search rules").fill("spare latch")
    expect(page.get_by_text("2 rules", exact=True)).to_be_visible()
    page.get_by_label("Tick all shown rules").check()
    bar = page.get_by_role("region", name="Ticked rules")
    expect(bar).to_contain_text("2 rules ticked")
    expect(bar.get_by_role("button", name="Enable")).to_have_count(0)
    assert violations_in_both_themes(ana) == {}
    with page.expect_download() as download:
        bar.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "rules.zip"
    bar.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("2 rules disabled")).to_be_visible()
    assert [ana.server.get(f"{RULES}/{rule_id}")["isEnabled"] for rule_id in made] == [False, False]
    expect(bar).to_have_count(0)
    page.get_by_label("Tick Spare latch 2").check()
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 1 rule").click()
    expect(page.get_by_text("1 rule", exact=True)).to_be_visible()
    ana.server.client().delete(f"{RULES}/{made[0]}").raise_for_status()


def test_people_who_only_read_see_the_rule_and_no_form(browser: Browser, web_server: Server) -> None:
    email, password = "rule.reader@example.com", "sesame opens it 9"
    make_account(web_server, email, password, "Read Only")
    with entered(browser, web_server, email, password, "light") as reader:
        page = reader.open("/rules/ssh-brt-101")
        expect(page.get_by_role("tab", name="View", selected=True)).to_be_visible()
        expect(page.get_by_role("region", name="Looks for")).to_contain_text("@evt.outcome:failure")
        expect(page.get_by_role("tab", name="Edit")).to_have_count(0)
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
        assert violations_in_both_themes(reader) == {}


def put(server: Server, rule_id: str, changes: dict[str, Any]) -> None:
    with server.client() as client:
        client.put(f"{RULES}/{rule_id}", json=changes).raise_for_status()


def test_a_long_query_stays_within_its_field(ana: Person) -> None:
    page = ana.open("/rules/new?clone=aws-seq-038")
    queries = page.get_by_role("group", name=re.compile("^Query "))
    expect(queries.first.get_by_role("textbox", name="Query blinded", exact=True)).to_have_attribute(
        "contenteditable", "true"
    )
    assert queries.evaluate_all("(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0


def test_a_long_name_leaves_room_for_the_button_that_saves(ana: Person) -> None:
    """And a short one has its severity beside it; inputs in a row line up, however long what is said above them."""
    page = ana.open("/rules/new")
    severity, heading = page.locator("header").get_by_text("Medium"), page.get_by_role("heading", level=1)
    assert edges(severity)["left"] - edges(heading)["right"] < 40
    page.get_by_label("Name", exact=True).fill("As long as some are " * 12)
    save = page.get_by_role("button", name="Create rule")
    assert page.viewport_size is not None
    assert edges(save)["right"] < page.viewport_size["width"]
    inputs = page.locator("input:not([type=hidden])")
    tops = {
        edges(page.get_by_label(each, exact=True).and_(inputs))["top"] for each in ("Evaluation window", "Keep alive")
    }
    assert len(tops) == 1


def edges(part: Locator) -> dict[str, float]:
    part.wait_for()
    return dict(part.evaluate("(part) => part.getBoundingClientRect().toJSON()"))
