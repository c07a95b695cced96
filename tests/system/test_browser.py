"""The web application in a real browser, against a real server: the keyboard path, triage by two people, both
explorers, rules, and no serious accessibility violation on any page (ux.md).
"""

import pytest
from browser import Person, opened, reopen, settled, state_button, violations
from playwright.sync_api import Browser, Route, expect
from server import ADMIN_EMAIL, Server
from waiting import until

pytestmark = [pytest.mark.system, pytest.mark.browser]


def test_a_wrong_password_is_refused_politely(browser: Browser, web_server: Server) -> None:
    person = Person(browser, web_server)
    page = person.open("/")
    page.get_by_label("Email").fill(ADMIN_EMAIL)
    page.get_by_role("textbox", name="Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    person.context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_serious_accessibility_violation(browser: Browser, web_server: Server, scheme: str) -> None:
    person = Person(browser, web_server, scheme)
    page = person.open("/")
    page.get_by_label("Email").wait_for()
    found = {"sign-in": violations(page)}
    person.sign_in()
    for path in ("/signals", "/logs", "/rules", "/settings"):
        person.open(path)
        settled(person)
        found[path] = violations(page)
    person.open("/signals")
    person.rows().first.click()
    page.get_by_role("tab", name="Timeline").wait_for()
    settled(person)
    found["panel"] = violations(page)
    person.context.close()
    assert {where: what for where, what in found.items() if what} == {}


IN_LIST = "() => document.activeElement?.closest('[role=row], [role=grid]')"


def test_the_keyboard_path_from_list_to_decision_and_back(ana: Person) -> None:
    page = ana.open("/signals")
    expect(ana.rows().nth(2)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Timeline")).to_be_visible()
    page.wait_for_url("**event=*")
    signal = opened(page)
    page.keyboard.press("u")
    expect(state_button(page, "Under review")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("a")
    expect(page.locator("input[aria-label=Assignee]").first).not_to_have_value("")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab", name="Timeline")).to_have_count(0)
    # the focus is back on the list: the next key goes on from there
    page.wait_for_function(IN_LIST)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_function(IN_LIST)  # where the dialog gives it back, a moment after it has gone
    page.keyboard.press("/")
    page.wait_for_function(
        "() => document.activeElement?.isContentEditable || document.activeElement?.tagName === 'INPUT'"
    )
    reopen(ana.server, signal)


def test_facet_search_and_url_say_the_same(ana: Person) -> None:
    page = ana.open("/signals")
    facets = page.get_by_label("Facets")
    high = facets.get_by_role("checkbox", name="high").or_(facets.get_by_text("High", exact=True)).first
    high.click()
    page.mouse.move(0, 0)  # where it points, nothing moves by itself, and no later signal would be counted
    page.wait_for_url("**/signals?*status*high*")
    expect(ana.rows().first).to_contain_text("High")
    page.reload()
    expect(ana.rows().first).to_contain_text("High")
    body = {"filter": {"query": "status:high", "from": "now-7d", "to": "now"}, "facets": ["status"]}
    trend = page.get_by_role("region", name="Trend")

    def says_the_same() -> bool:
        total = ana.server.post("/api/v2/explore/signals/facets", body)["meta"]["total"]
        return f"{total} signals" in trend.inner_text()

    until(says_the_same)
    ana.open("/signals?query=status%3Anothing")
    expect(page.get_by_text("No signals", exact=False).first).to_be_visible()


def test_a_chosen_value_that_is_not_among_the_most_frequent_is_counted(ana: Person) -> None:
    body = {"filter": {"query": "*", "from": "now-7d", "to": "now"}, "facets": ["host"], "limit": 1000}
    hosts = ana.server.post("/api/v2/explore/logs/facets", body)["data"][0]["values"]
    assert len(hosts) > 8
    rarest = hosts[-1]
    page = ana.open(f"/logs?from=now-7d&query=host:{rarest['value']}")
    expect(page.get_by_role("checkbox", name=f"Host {rarest['value']}, {rarest['count']}")).to_be_checked()
    expect(ana.rows()).to_have_count(rarest["count"])


def test_a_panel_has_the_page_where_there_is_no_room_for_both(ana: Person) -> None:
    ana.page.set_viewport_size({"width": 720, "height": 450})  # a screen at 200 %
    page = ana.open("/signals")
    ana.rows().first.click()
    panel = page.get_by_role("complementary").filter(has=page.get_by_role("button", name="Close the panel"))
    expect(panel).to_be_visible()
    assert panel.bounding_box() == page.get_by_role("main").bounding_box()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("grid")).to_be_focused()


def test_a_broken_query_is_marked_and_not_run(ana: Person) -> None:
    page = ana.open("/signals?query=status%3A")
    expect(page.get_by_text("status", exact=False).first).to_be_visible()
    expect(page.get_by_role("alert").or_(page.get_by_text("value", exact=False)).first).to_be_visible()


def test_a_link_with_a_broken_query_says_it_once(ana: Person) -> None:
    page = ana.open("/signals?query=status:(&from=now-7d")
    told = page.get_by_role("alert").filter(has_text="Request")
    expect(told).to_have_count(1)
    expect(told.get_by_role("button")).to_have_count(0)  # the answer would be the same
    expect(page.get_by_text("Not counted.").first).to_be_visible()


def test_an_address_without_a_page_says_so_beside_the_ways_to_all_pages(ana: Person) -> None:
    page = ana.open("/nothing/here")
    expect(page.get_by_role("alert")).to_contain_text("There is no page at this address.")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Rules").click()
    expect(page.get_by_role("heading", name="Rules", exact=True)).to_be_visible()


def test_who_types_before_the_editor_is_there_types_on(ana: Person) -> None:
    page = ana.page
    held: list[Route] = []
    page.route("**/QueryEditor-*.js", lambda route: held.append(route))
    ana.open("/logs?query=source:n")
    box = page.get_by_role("textbox", name="Search logs")
    box.click()
    box.press("End")
    page.keyboard.type("ot")
    expect(box).to_have_value("source:not")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("ArrowLeft")
    held.pop().continue_()
    page.keyboard.type("hing-is-lost-while-the-editor-arrives-")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.type("nor-after-i")
    expect(page.locator(".cm-content")).to_have_text("source:nohing-is-lost-while-the-editor-arrives-nor-after-it")


def test_two_people_at_one_signal(browser: Browser, web_server: Server) -> None:
    ana, ben = Person(browser, web_server), Person(browser, web_server)
    ana.sign_in()
    ben.sign_in()
    ana.open("/signals?query=status%3Acritical")
    ana.rows().first.click()
    ana.page.get_by_role("tab", name="Timeline").wait_for()
    ben.open(ana.page.url)
    ben.page.get_by_role("tab", name="Timeline").wait_for()
    expect(ben.page).to_have_url(ana.page.url)
    signal = opened(ben.page)
    ben.page.keyboard.press("u")
    expect(state_button(ben.page, "Under review")).to_have_attribute("aria-pressed", "true")
    ana.page.keyboard.press("u")
    # her page did not know of it: she is told who was faster, or sees the new state because live data came first
    told = ana.page.get_by_text("Somebody changed this signal meanwhile")
    seen = state_button(ana.page, "Under review").and_(ana.page.locator("[aria-pressed=true]"))
    expect(told.or_(seen).first).to_be_visible()
    reopen(web_server, signal)
    for person in (ana, ben):
        person.context.close()


def test_logs_open_from_a_signal_and_expand(ana: Person) -> None:
    page = ana.open("/signals")
    ana.rows().first.click()
    page.get_by_role("tab", name="Logs").click()
    page.get_by_text("View all related logs").first.click()
    page.wait_for_url("**/logs?*")
    expect(ana.rows().first).to_be_visible()
    ana.rows().first.click()
    expect(page.get_by_role("button", name="Close the panel")).to_be_visible()


def test_rules_can_be_switched_off_and_say_what_is_wrong(ana: Person) -> None:
    page = ana.open("/rules")
    page.get_by_label("Search rules").fill("AWS root")
    switch = ana.switch("AWS root account signed in")
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(switch).to_be_enabled()  # it is not while the change is on its way
    is_stored(ana.server, "aws-roo-001", False)
    switch.press("Space")
    expect(switch).to_be_checked()
    is_stored(ana.server, "aws-roo-001", True)  # before the browser goes: other tests look at this rule


def is_stored(server: Server, rule_id: str, is_enabled: bool) -> None:
    path = f"/api/v2/security_monitoring/rules/{rule_id}"
    until(lambda: server.get(path)["isEnabled"], lambda found: found is is_enabled)


def test_log_content_cannot_become_markup(ana: Person) -> None:
    hostile = "<img src=x onerror=window.__owned=1><script>window.__owned=1</script> javascript:alert(1)"
    event = {
        "ddsource": "nginx",
        "service": "<b>shop</b>",
        "hostname": "web-<i>1",
        "message": hostile,
        "usr": {"id": hostile},
    }
    ana.server.post("/api/v2/logs", [event])
    page = ana.open("/logs?query=%22window.__owned%22")
    expect(ana.rows().first).to_contain_text("onerror")
    ana.rows().first.click()
    expect(page.get_by_role("complementary").get_by_text("onerror", exact=False).first).to_be_visible()
    settled(ana)
    assert page.evaluate("() => window.__owned") is None


def test_related_signals_say_what_they_share(ana: Person) -> None:
    body = {"filter": {"query": "*", "from": "now-7d", "to": "now"}, "page": {"limit": 200}}
    signals = ana.server.post("/api/v2/explore/signals/events", body)["data"]
    entities = {one["id"]: set(one["attributes"]["custom"].get("entities", [])) for one in signals}
    sharing = {
        each: [other for other in entities if other != each and entities[other] & entities[each]] for each in entities
    }
    chosen = max(sharing, key=lambda each: len(sharing[each]))
    page = ana.open(f"/signals?event={chosen}&tab=related")
    related = page.get_by_role("list", name="Related signals")
    first = related.get_by_role("listitem").first
    shared = first.locator("code").first.inner_text()
    assert any(entity.endswith(f":{shared}") for entity in entities[chosen])
    settled(ana)
    assert violations(page) == []
    first.get_by_role("button").click()
    page.wait_for_url(lambda address: chosen not in address)
    assert opened(page) in sharing[chosen]
    assert any(entity.endswith(f":{shared}") for entity in entities[opened(page)])
    page.get_by_role("link", name="View all related activity").click()
    expect(ana.rows().nth(1)).to_be_visible()


def test_a_value_of_a_signal_leads_to_its_logs_and_back(ana: Person) -> None:
    page = ana.open("/signals?query=host:*")
    ana.rows().first.click()
    page.get_by_role("complementary").get_by_role("button", name="host ").first.click()
    page.get_by_role("menuitem", name="Logs with this value").click()
    page.wait_for_url("**/logs?query=host*")
    ana.rows().first.click()
    page.get_by_role("complementary").get_by_role("button", name="host ").first.click()
    page.get_by_role("menuitem", name="Signals with this value").click()
    page.wait_for_url("**/signals?query=host*")
    expect(ana.rows().first).to_be_visible()
