"""People, sessions, roles and keys through the API: what works, what is refused, and what an attacker would try."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx
import pytest
from api_server import ADMIN, API_KEY, APP_KEY, PASSWORD, Api
from argon2 import PasswordHasher, extract_parameters

from tocsin.access.passwords import Passwords
from tocsin.access.permissions import PERMISSIONS
from tocsin.errors import Conflict

NOBODY = "11111111-1111-4111-8111-111111111111"


def data_of(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["data"]


def body(kind: str, id: str | None = None, **attributes: Any) -> dict[str, Any]:
    return {"data": {"type": kind, "attributes": attributes} | ({} if id is None else {"id": id})}


def audit(api: Api) -> list[dict[str, Any]]:
    """What waits for the audit trail, oldest first."""
    seen: list[dict[str, Any]] = []
    from tocsin.store.outbox import Outbox

    box = Outbox(api.services.state, api.clock, "test")
    while box.drain("audit", lambda messages: seen.extend(m.payload for m in messages)):
        pass
    return seen


# Sign-in and sessions


def test_a_session_from_sign_in_to_sign_out(fresh_api: Api) -> None:
    api = fresh_api
    with closing(api.client()) as browser:
        answer = browser.post("/api/v2/session", json={"email": ADMIN.upper(), "password": PASSWORD})
        attributes = data_of(answer)["attributes"]
        cookie = answer.headers["set-cookie"]
        assert re.fullmatch(r"tocsin_session=[0-9a-f]{64}; HttpOnly; Max-Age=604800; Path=/; SameSite=lax", cookie), (
            cookie
        )
        assert attributes["csrf_token"] not in cookie
        me = browser.get("/api/v2/current_user").json()
        assert me["data"]["attributes"]["email"] == ADMIN
        held = {item["attributes"]["name"] for item in me["included"] if item["type"] == "permissions"}
        assert held == PERMISSIONS.keys()
        assert data_of(browser.get("/api/v2/session"))["attributes"]["csrf_token"] == attributes["csrf_token"]
        old = dict(browser.cookies)
        browser.headers["X-CSRF-Token"] = attributes["csrf_token"]
        answer = browser.delete("/api/v2/session")
        assert answer.status_code == 204
        assert 'tocsin_session=""' in answer.headers["set-cookie"]
        browser.cookies.update(old)
        assert browser.get("/api/v2/current_user").status_code == 401


def test_signing_in_again_ends_the_browsers_former_session(api: Api) -> None:
    with closing(api.sign_in()) as browser:
        old = dict(browser.cookies)
        again = browser.post("/api/v2/session", json={"email": ADMIN, "password": PASSWORD})
        assert again.status_code == 200
        assert dict(browser.cookies) != old
        with closing(api.client()) as thief:
            thief.cookies.update(old)
            assert thief.get("/api/v2/current_user").status_code == 401


def test_sign_out_everywhere(api: Api) -> None:
    email = api.person("logs_read_data")
    with closing(api.sign_in(email)) as here, closing(api.sign_in(email)) as there, closing(api.sign_in()) as other:
        assert here.delete("/api/v2/session/all").status_code == 204
        assert there.get("/api/v2/current_user").status_code == 401
        assert other.get("/api/v2/current_user").status_code == 200


def test_a_session_ends_when_idle_and_at_its_age(fresh_api: Api) -> None:
    api, minute = fresh_api, 60_000
    with closing(api.sign_in()) as browser:
        for _ in range(20):  # used now and then, it lives on
            api.clock.ahead += 479 * minute
            assert browser.get("/api/v2/current_user").status_code == 200
        api.clock.ahead += 481 * minute
        assert browser.get("/api/v2/current_user").status_code == 401
    with closing(api.sign_in()) as browser:
        for _ in range(21):
            api.clock.ahead += 470 * minute
            assert browser.get("/api/v2/current_user").status_code == 200
        api.clock.ahead += 300 * minute
        assert browser.get("/api/v2/current_user").status_code == 401, "a week is the end in any case"


def test_secure_cookies_are_bound_to_the_host(tmp_path: Any) -> None:
    from dataclasses import replace

    from api_server import serve_api

    with serve_api(tmp_path) as api:
        api.services.config = replace(api.services.config, secure_cookies=True)
        answer = api.anonymous.post("/api/v2/session", json={"email": ADMIN, "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-tocsin_session=")
        assert "; Secure" in answer.headers["set-cookie"]


def test_nobody_learns_who_exists(fresh_api: Api) -> None:
    api = fresh_api
    disabled, pending = api.person("logs_read_data"), "invited@example.com"
    api.services.access.users.create(pending, api.admin_actor)
    api.services.access.users.disable(api.services.access.users.find_by_handle(disabled).uuid, api.admin_actor)
    answers = [
        api.anonymous.post("/api/v2/session", json={"email": email, "password": password})
        for email, password in [
            (ADMIN, "wrong password"),
            ("unknown@example.com", "wrong password"),
            (disabled, PASSWORD),
            (pending, PASSWORD),
            ("not an address\r\n", PASSWORD),
        ]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.text for answer in answers} == {'{"errors":["e-mail or password is wrong"]}'}
    assert not any("set-cookie" in answer.headers for answer in answers)


def test_unknown_people_cost_as_much_time_as_known_ones(fresh_api: Api) -> None:
    """What costs time are the hashes: each answer compares with one, of the same costs."""
    compared: list[Any] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            compared.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    access = fresh_api.services.access
    access.sessions._passwords = access.users._passwords = Passwords(
        Counting(time_cost=2, memory_cost=16, parallelism=1)
    )
    access.users.create("slow@example.com", fresh_api.admin_actor, password=PASSWORD)
    for email in ("slow@example.com", "unknown@example.com"):
        answer = fresh_api.anonymous.post("/api/v2/session", json={"email": email, "password": "wrong password"})
        assert answer.status_code == 401
    known, unknown = compared
    assert known == unknown


def test_guessing_is_slowed_down(fresh_api: Api) -> None:
    api = fresh_api
    api.clock.stop()
    guesses = [api.anonymous.post("/api/v2/session", json={"email": ADMIN, "password": f"guess {n}"}) for n in range(7)]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 2
    assert guesses[-1].headers["retry-after"] == guesses[-1].headers["x-ratelimit-reset"] == "1"
    right = api.anonymous.post("/api/v2/session", json={"email": ADMIN, "password": PASSWORD})
    assert right.status_code == 429, "not even the right password tells while one must wait"
    api.clock.ahead += 2000
    api.sign_in().close()
    failed = [entry for entry in audit(api) if entry["status"] == "error"]
    assert len(failed) == 5
    assert failed[0]["attributes"]["usr"]["email"] == ADMIN
    assert failed[0]["attributes"]["network"]["client"]["ip"] == "127.0.0.1"


def test_guessing_side_by_side_gains_nothing(fresh_api: Api) -> None:
    fresh_api.clock.stop()

    def guess(number: int) -> int:
        with closing(fresh_api.client()) as client:
            return client.post("/api/v2/session", json={"email": ADMIN, "password": f"guess {number}"}).status_code

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(guess, range(24)))
    assert codes.count(401) == 5


def test_another_site_can_neither_sign_in_nor_change(api: Api) -> None:
    credentials = {"email": ADMIN, "password": PASSWORD}
    lured = api.anonymous.post("/api/v2/session", json=credentials, headers={"Sec-Fetch-Site": "cross-site"})
    assert lured.status_code == 403
    form = api.anonymous.post(
        "/api/v2/session",
        content=json.dumps(credentials),
        headers={"Content-Type": "text/plain"},
    )
    assert form.status_code == 400, "a page of another site can send text without asking, JSON it cannot"
    with closing(api.sign_in()) as browser, closing(api.sign_in()) as other:
        browser.headers["X-CSRF-Token"] = other.headers["X-CSRF-Token"]
        assert browser.post("/api/v2/roles", json=body("roles", name="x")).status_code == 403


def test_broken_cookies_and_tokens(api: Api) -> None:
    for value in ("", "x", "f" * 64, "a" * 5000, "%00", '"quoted"'):
        with closing(api.client(Cookie=f"tocsin_session={value}")) as client:
            assert client.get("/api/v2/current_user").status_code == 401
    with closing(api.sign_in()) as browser:
        answer = browser.delete("/api/v2/session", headers=[(b"X-CSRF-Token", b"\xfc")])
        assert answer.status_code == 403


# Keys as credentials


def test_keys_prove_who_asks(api: Api) -> None:
    path = "/api/v2/current_user"
    assert api.admin.get(path).status_code == 200
    unauthorised = api.anonymous.get(path)
    assert (unauthorised.status_code, unauthorised.json()) == (401, {"errors": ["Unauthorized"]})
    for headers in (
        {"DD-API-KEY": API_KEY},
        {"DD-APPLICATION-KEY": APP_KEY},
        {"DD-API-KEY": "f" * 32, "DD-APPLICATION-KEY": APP_KEY},
        {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": "f" * 40},
        {"DD-API-KEY": APP_KEY, "DD-APPLICATION-KEY": API_KEY},
        {b"DD-API-KEY": b"x" * 7000, b"DD-APPLICATION-KEY": b"\xfc"},
        {"Authorization": "Bearer something"},
    ):
        refused = api.anonymous.get(path, headers=headers)
        assert (refused.status_code, refused.json()) == (403, {"errors": ["Forbidden"]}), headers


def test_validate(api: Api) -> None:
    get = api.anonymous.get
    key = {"DD-API-KEY": API_KEY}
    assert get("/api/v1/validate", headers=key).json() == {"valid": True}
    assert get(f"/api/v1/validate?api_key={API_KEY}").json() == {"valid": True}
    missing = get("/api/v1/validate")
    assert (missing.status_code, missing.json()) == (403, {"errors": ["API key required"]})
    assert get("/api/v1/validate", headers={"DD-API-KEY": "no"}).json() == {"errors": ["Forbidden"]}
    known = data_of(get("/api/v2/validate", headers=key))
    keys = data_of(api.admin.get("/api/v2/api_keys"))
    assert known["attributes"] == {"valid": True, "api_key_id": keys[0]["id"], "api_key_scopes": []}
    assert api.admin.get("/api/v2/validate_keys").json() == {"status": "ok"}
    assert get("/api/v2/validate_keys").status_code == 401


def test_an_api_key_is_shown_once_and_revoked_at_once(fresh_api: Api) -> None:
    api = fresh_api
    made = data_of(api.admin.post("/api/v2/api_keys", json=body("api_keys", name="Shipper")), 201)
    secret = made["attributes"]["key"]
    assert re.fullmatch(r"[0-9a-f]{32}", secret)
    path = f"/api/v2/api_keys/{made['id']}"
    for answer in (api.admin.get(path), api.admin.get("/api/v2/api_keys"), api.admin.get(path + "?include=created_by")):
        assert secret not in answer.text
        assert f'"last4":"{secret[-4:]}"' in answer.text
    with closing(api.client(DD_API_KEY=secret)) as shipper:
        assert shipper.get("/api/v2/validate").status_code == 200
        assert data_of(api.admin.get(path))["attributes"]["date_last_used"] is not None
        assert api.admin.patch(path, json=body("api_keys", made["id"], name="Renamed")).status_code == 200
        assert api.admin.post("/api/v2/api_keys", json=body("api_keys", name="Renamed")).status_code == 409
        assert api.admin.delete(path).status_code == 204
        assert shipper.get("/api/v2/validate").status_code == 403
    gone = api.admin.get(path)
    assert (gone.status_code, gone.json()) == (404, {"errors": ["API key not found"]})
    assert secret not in str(audit(api)), "and not in the audit trail either"


def test_an_application_key_can_do_no_more_than_its_scopes(fresh_api: Api) -> None:
    api = fresh_api
    own = "/api/v2/current_user/application_keys"
    wanted = body("application_keys", name="narrow", scopes=["user_app_keys", "user_access_read"])
    made = data_of(api.admin.post(own, json=wanted), 201)
    secret = made["attributes"]["key"]
    assert re.fullmatch(r"[0-9a-f]{40}", secret)
    with closing(api.client(DD_API_KEY=API_KEY, DD_APPLICATION_KEY=secret)) as narrow:
        assert narrow.get("/api/v2/users").status_code == 200
        assert narrow.get("/api/v2/api_keys").status_code == 403
        for scopes in (None, ["api_keys_read"]):  # it would free itself
            wider = body("application_keys", name="wide", scopes=scopes)
            assert narrow.post(own, json=wider).status_code == 403
            assert (
                narrow.patch(f"{own}/{made['id']}", json={"data": wider["data"] | {"id": made["id"]}}).status_code
                == 403
            )
        assert narrow.post(own, json=body("application_keys", name="same", scopes=["user_app_keys"])).status_code == 201
        unknown = narrow.post(own, json=body("application_keys", name="x", scopes=["all_of_them"]))
        assert unknown.status_code == 400
        assert api.admin.get(f"{own}/{made['id']}").status_code == 200
        assert secret not in api.admin.get(f"{own}/{made['id']}").text
        assert api.admin.delete(f"/api/v2/application_keys/{made['id']}").status_code == 204
        assert narrow.get("/api/v2/users").status_code == 403
    missing = api.admin.get(f"{own}/{made['id']}")
    assert (missing.status_code, missing.json()) == (404, {"errors": ["Application key not found"]})


def test_ones_own_keys_are_nobody_elses(api: Api) -> None:
    mine = data_of(
        api.admin.post("/api/v2/current_user/application_keys", json=body("application_keys", name="m")), 201
    )
    with closing(api.sign_in(api.person("user_app_keys"))) as other:
        for method in ("GET", "DELETE"):
            answer = other.request(method, f"/api/v2/current_user/application_keys/{mine['id']}")
            assert answer.status_code == 404
        assert other.get(f"/api/v2/application_keys/{mine['id']}").status_code == 403
    assert api.admin.get(f"/api/v2/application_keys/{mine['id']}").status_code == 200


# People


def test_a_person_from_invitation_to_disabled(fresh_api: Api) -> None:
    api = fresh_api
    wanted = body("users", email="Ana@Example.com", name="Ana")
    created = data_of(api.admin.post("/api/v2/users", json=wanted), 201)
    assert created["attributes"]["email"] == created["attributes"]["handle"] == "ana@example.com"
    assert created["attributes"]["status"] == "Pending"
    assert created["attributes"]["user_id"] == 2
    datetime.fromisoformat(created["attributes"]["created_at"])
    taken = api.admin.post("/api/v2/users", json=wanted)
    assert (taken.status_code, taken.json()["errors"]) == (
        409,
        ["a user with the e-mail ana@example.com exists already"],
    )

    user = {"user": {"data": {"type": "users", "id": created["id"]}}}
    invitations = {"data": [{"type": "user_invitations", "relationships": user}]}
    invitation = data_of(api.admin.post("/api/v2/user_invitations", json=invitations), 201)[0]
    token = invitation["attributes"]["token"]
    again = api.admin.get(f"/api/v2/user_invitations/{invitation['id']}")
    assert again.status_code == 200
    assert token not in again.text
    accept = body("user_invitations", token=token, password="my own secret words")
    weak = body("user_invitations", token=token, password="ana@example.com")
    assert api.anonymous.post("/api/v2/user_invitations/accept", json=weak).status_code == 400
    assert api.anonymous.post("/api/v2/user_invitations/accept", json=accept).status_code == 204
    assert api.anonymous.post("/api/v2/user_invitations/accept", json=accept).status_code == 404, "it works once"

    path = f"/api/v2/users/{created['id']}"
    with closing(api.sign_in("ana@example.com", "my own secret words")) as ana:
        assert data_of(ana.get("/api/v2/current_user"))["attributes"]["status"] == "Active"
        names = {p["attributes"]["name"] for p in data_of(api.admin.get(path + "/permissions"))}
        assert "security_monitoring_signals_write" in names, "Standard by default"
        own = body("users", created["id"], name="Ana B.", title="Analyst", email="boss@example.com")
        changed = data_of(ana.patch("/api/v2/current_user", json=own))["attributes"]
        assert (changed["name"], changed["title"]) == ("Ana B.", "Analyst")
        assert changed["email"] == "ana@example.com", "an address is not one's own to change"
        key = data_of(ana.post("/api/v2/current_user/application_keys", json=body("application_keys", name="k")), 201)

        assert api.admin.delete(path).status_code == 204
        assert ana.get("/api/v2/current_user").status_code == 401
    with closing(api.client(DD_API_KEY=API_KEY, DD_APPLICATION_KEY=key["attributes"]["key"])) as script:
        assert script.get("/api/v2/current_user").status_code == 403
    assert data_of(api.admin.get(path))["attributes"]["status"] == "Disabled"
    enabled = data_of(api.admin.patch(path, json=body("users", created["id"], disabled=False)))
    assert enabled["attributes"]["status"] == "Active"

    actions = [(e["attributes"]["action"], e["attributes"]["asset"]["type"]) for e in audit(api)]
    for expected in [
        ("created", "user"),
        ("created", "user_invitation"),
        ("modified", "password"),
        ("login", "user"),
        ("modified", "user"),
        ("created", "application_key"),
    ]:
        assert expected in actions


def test_changing_ones_password_ends_the_other_sessions(api: Api) -> None:
    email = api.person("logs_read_data")
    with closing(api.sign_in(email)) as here, closing(api.sign_in(email)) as there:
        change = body("passwords", current_password="wrong", password="another good secret")
        assert here.put("/api/v2/current_user/password", json=change).status_code == 400
        change = body("passwords", current_password=PASSWORD, password="another good secret")
        assert here.put("/api/v2/current_user/password", json=change).status_code == 204
        assert here.get("/api/v2/current_user").status_code == 200
        assert there.get("/api/v2/current_user").status_code == 401
    api.sign_in(email, "another good secret").close()
    user = api.services.access.users.find_by_handle(email)
    reset = body("passwords", password="chosen by an admin")
    assert api.admin.put(f"/api/v2/users/{user.uuid}/password", json=reset).status_code == 204
    api.sign_in(email, "chosen by an admin").close()


def test_the_last_admin_stays(fresh_api: Api) -> None:
    api, users, roles = fresh_api, fresh_api.services.access.users, fresh_api.services.access.roles
    admin = users.find_by_handle(ADMIN)
    role = roles.list(text="Admin").items[0]
    member = {"data": {"type": "users", "id": admin.uuid}}
    path = f"/api/v2/roles/{role.uuid}/users"
    attempts = [
        lambda: api.admin.delete(f"/api/v2/users/{admin.uuid}"),
        lambda: api.admin.patch(f"/api/v2/users/{admin.uuid}", json=body("users", admin.uuid, disabled=True)),
        lambda: api.admin.request("DELETE", path, json=member),
    ]
    assert [attempt().status_code for attempt in attempts] == [409] * 3
    users.create("second@example.com", api.admin_actor, role_ids=[role.uuid])
    assert attempts[0]().status_code == 409, "an invited Admin cannot sign in yet"
    users.set_password(users.find_by_handle("second@example.com").uuid, PASSWORD, api.admin_actor)
    assert attempts[2]().status_code == 200
    with pytest.raises(Conflict):
        second = users.find_by_handle("second@example.com")
        roles.remove_user(role.uuid, second.uuid, api.services.access.keys.actor(API_KEY, APP_KEY))


def test_an_inviter_cannot_make_an_admin(fresh_api: Api) -> None:
    api = fresh_api
    roles = {role.name: role.uuid for role in api.services.access.roles.list(size=100).items}
    standard = api.services.access.roles.get(roles["Standard"]).permissions
    email = api.person("user_access_invite", *standard)
    with closing(api.sign_in(email)) as inviter:

        def invite(address: str, role: str) -> httpx.Response:
            wanted = body("users", email=address)
            wanted["data"]["relationships"] = {"roles": {"data": [{"type": "roles", "id": roles[role]}]}}
            return inviter.post("/api/v2/users", json=wanted)

        assert invite("new@example.com", "Standard").status_code == 201
        assert invite("evil@example.com", "Admin").status_code == 403
        assert api.services.access.users.find_by_handle("evil@example.com") is None

        def token_for(address: str) -> int:
            uuid = api.services.access.users.find_by_handle(address).uuid
            user = {"user": {"data": {"type": "users", "id": uuid}}}
            wanted = {"data": [{"type": "user_invitations", "relationships": user}]}
            return inviter.post("/api/v2/user_invitations", json=wanted).status_code

        assert token_for("new@example.com") == 201
        assert token_for(ADMIN) == 403, "else an inviter could take over the administrator"
        pending = api.services.access.users.create("boss@example.com", api.admin_actor, role_ids=[roles["Admin"]])
        assert pending.status == "Pending"
        assert token_for("boss@example.com") == 403


def test_lists_are_filtered_sorted_and_paged(fresh_api: Api) -> None:
    api = fresh_api
    for number in range(14):
        api.services.access.users.create(f"u{number:02}@example.com", api.admin_actor, name=f"Person {number:02}")
    api.services.access.users.create("done@example.com", api.admin_actor, password=PASSWORD)
    get = lambda query: api.admin.get("/api/v2/users" + query).json()  # noqa: E731
    first = get("")
    assert len(first["data"]) == 10
    assert first["meta"]["page"] == {"total_count": 16, "total_filtered_count": 16}
    second = get("?page[size]=10&page[number]=1")
    assert len(second["data"]) == 6
    assert not {u["id"] for u in first["data"]} & {u["id"] for u in second["data"]}
    found = get("?filter=PERSON 0&sort=email&sort_dir=desc")
    assert [u["attributes"]["email"][:3] for u in found["data"]] == [f"u0{n}" for n in range(9, -1, -1)]
    assert found["meta"]["page"] == {"total_count": 16, "total_filtered_count": 10}
    assert get("?filter[status]=Active")["meta"]["page"]["total_filtered_count"] == 2
    assert get("?filter[status]=Active,Pending")["meta"]["page"]["total_filtered_count"] == 16
    assert get("?filter=%25")["data"] == [], "a wildcard of the database is a plain character"


@pytest.mark.parametrize("path", ["users", "roles", "api_keys", "application_keys", "current_user/application_keys"])
@pytest.mark.parametrize(
    "query",
    [
        "page[size]=0",
        "page[size]=101",
        "page[size]=-1",
        "page[size]=x",
        "page[number]=-1",
        "page[number]=9" + "9" * 400,
        "sort=password_hash",
        "sort=key_hash",
    ],
)
def test_pages_have_bounds(api: Api, path: str, query: str) -> None:
    answer = api.admin.get(f"/api/v2/{path}?{query}")
    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json()["errors"][0], str)


@pytest.mark.parametrize("id", ["x", NOBODY, "%00", "..%2f..%2fetc", "1" * 300, "%F0%9F%92%A9", "{" + NOBODY + "}"])
@pytest.mark.parametrize(
    "path",
    [
        "users/{}",
        "users/{}/permissions",
        "users/{}/orgs",
        "roles/{}",
        "roles/{}/permissions",
        "roles/{}/users",
        "api_keys/{}",
        "application_keys/{}",
        "current_user/application_keys/{}",
        "user_invitations/{}",
    ],
)
def test_malformed_and_unknown_ids_are_not_found(api: Api, path: str, id: str) -> None:
    answer = api.admin.get("/api/v2/" + path.format(id))
    assert answer.status_code == 404, answer.text
    assert answer.json()["errors"]


def test_the_bodys_id_must_be_the_paths(api: Api) -> None:
    me = data_of(api.admin.get("/api/v2/current_user"))["id"]
    assert api.admin.patch(f"/api/v2/users/{me}", json=body("users", NOBODY, name="x")).status_code == 422
    assert api.admin.patch(f"/api/v2/users/{NOBODY}", json=body("users", me, name="x")).status_code == 404
    role = data_of(api.admin.post("/api/v2/roles", json=body("roles", name="R of ids")))["id"]
    assert api.admin.patch(f"/api/v2/roles/{role}", json=body("roles", NOBODY, name="x")).status_code == 422


# Roles


def test_a_custom_role_from_creation_to_deletion(fresh_api: Api) -> None:
    api = fresh_api
    permissions = {p["attributes"]["name"]: p for p in data_of(api.admin.get("/api/v2/permissions"))}
    assert permissions.keys() == PERMISSIONS.keys()
    restricted = {name for name, p in permissions.items() if p["attributes"]["restricted"]}
    read = permissions["logs_read_data"]["id"]
    wanted = body("roles", name="Hunters")
    wanted["data"]["relationships"] = {"permissions": {"data": [{"type": "permissions", "id": read}]}}
    role = data_of(api.admin.post("/api/v2/roles", json=wanted))
    path = f"/api/v2/roles/{role['id']}"
    names = lambda answer: {p["attributes"]["name"] for p in data_of(answer)}  # noqa: E731
    assert names(api.admin.get(path + "/permissions")) == restricted | {"logs_read_data"}
    assert api.admin.post("/api/v2/roles", json=body("roles", name="hunters")).status_code == 409
    assert api.admin.post("/api/v2/roles", json=body("roles", name=" ")).status_code == 400

    one = {"data": {"type": "permissions", "id": permissions["cases_read"]["id"]}}
    assert "cases_read" in names(api.admin.post(path + "/permissions", json=one))
    assert "cases_read" not in names(api.admin.request("DELETE", path + "/permissions", json=one))
    always = {"data": {"type": "permissions", "id": permissions["incident_read"]["id"]}}
    assert api.admin.request("DELETE", path + "/permissions", json=always).status_code == 400
    unknown = {"data": {"type": "permissions", "id": NOBODY}}
    assert api.admin.post(path + "/permissions", json=unknown).status_code == 404
    assert api.admin.post(path + "/permissions", json={"data": {}}).status_code == 400

    email = api.person(roles=())
    user = {"data": {"type": "users", "id": api.services.access.users.find_by_handle(email).uuid}}
    with closing(api.sign_in(email)) as person:
        assert person.get("/api/v2/roles").status_code == 403
        assert [u["attributes"]["email"] for u in data_of(api.admin.post(path + "/users", json=user))] == [email]
        assert person.get("/api/v2/roles").status_code == 200, "at once, without signing in again"
        assert data_of(api.admin.get(path))["attributes"]["user_count"] == 1
        assert data_of(api.admin.request("DELETE", path + "/users", json=user)) == []
        assert person.get("/api/v2/roles").status_code == 403

    clone = data_of(api.admin.post(path + "/clone", json=body("roles", name="Hunters 2")))
    assert names(api.admin.get(f"/api/v2/roles/{clone['id']}/permissions")) == restricted | {"logs_read_data"}
    renamed = data_of(api.admin.patch(path, json=body("roles", role["id"], name="Trackers")))
    assert renamed["attributes"]["name"] == "Trackers"
    assert renamed["relationships"]["permissions"]["data"], "they stay when only the name changes"
    assert api.admin.delete(path).status_code == 204
    assert api.admin.get(path).status_code == 404
    changes = [e["attributes"] for e in audit(api) if e["attributes"]["asset"]["type"] == "role"]
    rename = next(c for c in changes if c["asset"].get("new_value", {}).get("name") == "Trackers")
    assert rename["asset"]["prev_value"]["name"] == "Hunters"
    assert rename["usr"]["email"] == ADMIN
    assert rename["http"]["method"] == "PATCH"


def test_shipped_roles_cannot_be_changed(api: Api) -> None:
    for role in data_of(api.admin.get("/api/v2/roles?page[size]=100")):
        if role["attributes"]["name"] not in ("Admin", "Standard", "Read Only"):
            continue
        path = f"/api/v2/roles/{role['id']}"
        assert api.admin.delete(path).status_code == 403
        assert api.admin.patch(path, json=body("roles", role["id"], name="Mine")).status_code == 403
        one = {"data": {"type": "permissions", "id": PERMISSIONS["audit_logs_read"].id}}
        assert api.admin.post(path + "/permissions", json=one).status_code == 403


# What arrives at the door


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"data":{"type":"roles","attributes":{"name":"a\\u0000b"}}}',
        b'{"data":{"type":"roles","attributes":{"name":"a\\ud800b"}}}',
        b'{"data":{"type":"users","attributes":{"name":"wrong type"}}}',
        b'{"data":{"type":"roles","attributes":{"name":["a"]}}}',
        b'{"data":{"type":"roles","attributes":{"name":' + b"9" * 5000 + b"}}}",
        b"[" * 100_000,
        b'{"data":' * 2000,
        b'{"data":{"type":"roles","attributes":{"name":"deep","x":' + b"[" * 300 + b"]" * 300 + b"}}}",
    ],
)
def test_broken_bodies_are_the_callers_mistake(api: Api, content: bytes) -> None:
    answer = api.admin.post("/api/v2/roles", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"]


def test_an_escaped_backslash_before_u0000_is_no_nul(api: Api) -> None:
    content = b'{"data":{"type":"roles","attributes":{"name":"a\\\\u0000b"}}}'
    answer = api.admin.post("/api/v2/roles", content=content, headers={"Content-Type": "application/json"})
    assert data_of(answer)["attributes"]["name"] == "a\\u0000b"


def test_compressed_bodies_and_their_bounds(api: Api) -> None:
    import gzip
    import zlib

    def send(content: bytes, encoding: str) -> httpx.Response:
        headers = {"Content-Type": "application/vnd.api+json", "Content-Encoding": encoding}
        return api.admin.post("/api/v2/roles", content=content, headers=headers)

    role = lambda name: b'{"data":{"type":"roles","attributes":{"name":"%s"}}}' % name  # noqa: E731
    assert send(gzip.compress(role(b"by gzip")), "gzip").status_code == 200
    assert send(zlib.compress(role(b"by deflate")), "deflate").status_code == 200
    assert send(role(b"plain"), "identity").status_code == 200
    assert send(role(b"x"), "br").status_code == 415
    assert send(b"no gzip at all", "gzip").status_code == 400
    assert send(gzip.compress(role(b"cut"))[:-9], "gzip").status_code == 400
    bomb = gzip.compress(b"0" * 200_000_000)
    assert len(bomb) < 300_000
    assert send(bomb, "gzip").status_code == 413
    assert send(b"0" * 5_000_001, "identity").status_code == 413

    def endless() -> Any:
        for _ in range(80):
            yield b"0" * 100_000

    chunked = api.admin.post("/api/v2/roles", content=endless())
    assert chunked.status_code == 413


def test_headers_and_log_lines_cannot_be_injected(api: Api) -> None:
    evil = api.anonymous.get("/health/live", headers={"X-Request-Id": "a b; <script>"})
    assert re.fullmatch(r"[0-9a-f]{16}", evil.headers["x-request-id"])
    assert api.anonymous.get("/health/live", headers={"X-Request-Id": "trace-1"}).headers["x-request-id"] == "trace-1"
    answer = api.anonymous.get("/api/v2/users/%0d%0aSet-Cookie:%20a=b")
    assert "set-cookie" not in answer.headers


def test_every_answer_carries_the_security_headers(api: Api) -> None:
    for path in ("/", "/api/v2/users", "/api/nothing", "/health/live", "/api/v2/openapi.json"):
        headers = api.anonymous.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
        if path.startswith("/api/"):
            assert headers["cache-control"] == "no-store"


def test_answers_are_compressed_when_asked(api: Api) -> None:
    answer = api.anonymous.get("/api/v2/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["openapi"].startswith("3.")


def test_methods_and_paths_that_do_not_exist(api: Api) -> None:
    answer = api.admin.put("/api/v2/roles", json={})
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) & {"GET", "POST"}
    assert api.admin.get("/api/v2/nothing").json() == {"errors": ["Not found"]}
    assert api.admin.delete("/somewhere").status_code == 404


def test_a_crash_tells_its_number_and_nothing_else(fresh_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*arguments: Any, **named: Any) -> None:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setattr(fresh_api.services.access.users, "list", crash)
    answer = fresh_api.admin.get("/api/v2/users")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["errors"][0]
    assert answer.headers["content-security-policy"]
    assert "tocsin_http_crashes_total 1.0" in fresh_api.anonymous.get("/metrics").text


# Health, metrics, files


def test_health_and_metrics(fresh_api: Api) -> None:
    get = fresh_api.anonymous.get
    assert get("/health/live").json()["status"] == "ok"
    assert get("/health/ready").json() == {"status": "ok", "checks": {"state": "ok"}}
    fresh_api.admin.get("/api/v2/users")
    metrics = get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'tocsin_http_requests_total{method="GET",route="/api/v2/users",status="200"} 1.0' in metrics.text
    fresh_api.services.state.is_current = lambda: False
    failing = get("/health/ready")
    assert failing.status_code == 503
    assert failing.json()["status"] == "failing"


def test_the_web_applications_files(tmp_path: Any) -> None:
    from api_server import serve_api

    web = tmp_path / "web"
    (web / "assets").mkdir(parents=True)
    (web / "index.html").write_text("<title>Tocsin</title>")
    (web / "assets" / "app-1a2b3c.js").write_text("x = 1")
    (tmp_path / "secret.txt").write_text("secret")
    with serve_api(tmp_path) as api:
        for path in ("/", "/signals", "/rules/abc-def-ghi/edit"):
            page = api.anonymous.get(path)
            assert page.status_code == 200
            assert "<title>Tocsin" in page.text
            assert page.headers["cache-control"] == "no-cache"
        script = api.anonymous.get("/assets/app-1a2b3c.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["content-type"].startswith("text/javascript")
        assert script.text == "x = 1"
        assert (script.headers["content-encoding"], script.headers["vary"]) == ("gzip", "Accept-Encoding")
        plain = api.anonymous.get("/assets/app-1a2b3c.js", headers={"Accept-Encoding": "identity"})
        assert (plain.text, "content-encoding" in plain.headers) == ("x = 1", False)
        part = api.anonymous.get("/assets/app-1a2b3c.js", headers={"Range": "bytes=0-2"})
        assert (part.status_code, part.text) == (206, "x =")
        (web / "assets" / "app-1a2b3c.js").unlink()
        assert api.anonymous.get("/assets/app-1a2b3c.js").text == "x = 1", "packed once, for whoever asks"
        unchanged = api.anonymous.get("/", headers={"If-None-Match": api.anonymous.get("/").headers["etag"]})
        assert unchanged.status_code == 304
        for path in ("/assets/gone.js", "/favicon.ico", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"):
            answer = api.anonymous.get(path)
            assert "secret" not in answer.text
            assert answer.status_code == 404, path
        assert api.anonymous.get("/api/nothing").json() == {"errors": ["Not found"]}


def test_a_body_that_is_no_json_is_told_as_such(api: Api) -> None:
    answer = api.admin.post("/api/v2/roles", content=b'{"data": ', headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == ["the body is not valid JSON: Expecting value at character 9"]
