"""Pure rules of access: names, addresses, passwords, throttling, the catalogue of permissions."""

import itertools
import re
from typing import Any

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from tocsin.access.names import check_uuid, clean_email, clean_name
from tocsin.access.passwords import Passwords, check_rules
from tocsin.access.permissions import (
    ADMIN,
    BUILTIN_ROLES,
    BY_ID,
    PERMISSIONS,
    RESTRICTED,
    STANDARD,
    check_known,
)
from tocsin.access.secrets import (
    check_key_setting,
    csrf_token,
    hashed,
    new_api_key,
    new_application_key,
    new_password,
    new_token,
    new_uuid,
)
from tocsin.access.throttle import ADDRESS, MOST_ENTRIES, PAIR, Throttle
from tocsin.config import BadSetting
from tocsin.errors import BadRequest, NotFound, TooManyRequests

# Addresses and names


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("  ana+soc@sub.example.co.uk ", "ana+soc@sub.example.co.uk"),
        ("admin@localhost", "admin@localhost"),
        ("o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_lower_case(given_text: str, stored: str) -> None:
    assert clean_email(given_text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@@example.com",
        "ana@exa mple.com",
        "ana@example.com\r\nBcc: all@example.com",
        "ana\0@example.com",
        "аna@example.com",  # a Cyrillic а
        "ana@ｅxample.com",  # a full-width e, that some normalise to ASCII
        "ana\u202e@example.com",
        "\u212aim@example.com",  # the KELVIN SIGN, whose lower case is k
        "ana@-example.com",
        "ana@example..com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 300,
        '"ana"@example.com',
        "<script>@example.com",
    ],
)
def test_strange_addresses_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        clean_email(text)


@given(st.text(max_size=400))
def test_an_address_is_refused_or_plain_and_stable(text: str) -> None:
    try:
        email = clean_email(text)
    except BadRequest:
        return
    assert email.isascii()
    assert email == email.lower()
    assert clean_email(email) == email


@pytest.mark.parametrize("text", ["", "   ", "a\nb", "a\0b", "a\x1b[31mb", "a\u202eb", "a\u2028b", "\ud800", "a" * 257])
def test_names_that_would_deceive_or_break_are_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        clean_name(text, "name")


@pytest.mark.parametrize("text", ["Zoë Ångström", "李小龍", "مريم", "👩‍🔬 lab", "O'Neil, Sr."])
def test_names_of_real_people_are_kept(text: str) -> None:
    assert clean_name(f" {text} ", "name") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "11111111-1111-4111-8111-11111111111",
        "{11111111-1111-4111-8111-111111111111}",
        "1" * 32,
        "\0",
        "../../etc",
    ],
)
def test_an_id_that_is_no_uuid_does_not_exist(text: str) -> None:
    with pytest.raises(NotFound, match="nothing here"):
        check_uuid(text, "nothing here")


def test_an_id_is_compared_in_lower_case() -> None:
    assert check_uuid("ABCDEF01-1111-4111-8111-111111111111", "") == "abcdef01-1111-4111-8111-111111111111"


# Passwords


@pytest.mark.parametrize(
    "text", ["short1", "aaaaaaaaaaaaaa", "abababababab", "password123456", "ana.maria@example.com", "x" * 300]
)
def test_weak_passwords_are_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="password"):
        check_rules(text, "ana.maria@example.com")


@pytest.mark.parametrize("text", ["correct horse battery", "rT7!kq-29xZ", "пароль из многих слов"])
def test_good_passwords_pass_whatever_their_classes_of_characters(text: str) -> None:
    check_rules(text, "ana@example.com")


def test_a_password_is_known_by_its_hash_only() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash("correct horse battery")
    assert "correct" not in stored
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "correct horse battery")
    assert not passwords.verify(stored, "correct horse batterz")
    assert not passwords.verify(None, "the password of nobody"), "the stand-in for unknown people opens nothing"
    assert not passwords.verify("garbage", "x")
    assert passwords.verify(passwords.hash("e\u0301toile filante"), "\u00e9toile filante"), "keyboards differ in form"
    assert not passwords.is_outdated(stored)
    assert Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)).is_outdated(stored)


# Secrets


def counted() -> Any:
    number = itertools.count(1)
    return lambda size: next(number).to_bytes(size, "big")


def test_secrets_have_the_documented_forms() -> None:
    random = counted()
    assert re.fullmatch(r"[0-9a-f]{32}", new_api_key(random))
    assert re.fullmatch(r"[0-9a-f]{40}", new_application_key(random))
    assert re.fullmatch(r"[0-9a-f]{64}", new_token(random))
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", new_uuid(random))
    password = new_password(random)
    assert re.fullmatch(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}", password)
    assert len({hashed(str(n)) for n in range(50)}) == 50


def test_a_sessions_token_for_changes_is_its_own() -> None:
    assert csrf_token("a") == csrf_token("a") != csrf_token("b")
    assert csrf_token("a") not in (hashed("a"), "a"), "what is stored does not give it away"


def test_key_settings_are_checked() -> None:
    assert check_key_setting("api_key", "AB" * 16, 32) == "ab" * 16
    for wrong in ("", "ab", "zz" * 16, "ab" * 17):
        with pytest.raises(BadSetting, match="api_key"):
            check_key_setting("api_key", wrong, 32)


# Throttled sign-in


class FakeClock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


def wait_of(throttle: Throttle, account: str, address: str) -> int:
    """Seconds to wait; 0 counts one more failure."""
    try:
        throttle.attempt(account, address)
    except TooManyRequests as error:
        return error.retry_after_seconds
    return 0


def test_the_wait_doubles_up_to_its_longest() -> None:
    clock = FakeClock()
    throttle, waits = Throttle(clock), []
    assert [wait_of(throttle, "ana", "x") for _ in range(PAIR.free)] == [0] * PAIR.free
    for _ in range(12):
        waits.append(wait_of(throttle, "ana", "x"))
        clock.now += waits[-1] * 1000
        assert wait_of(throttle, "ana", "x") == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_one_address_does_not_lock_an_account_for_others() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    while wait_of(throttle, "ana", "attacker") == 0:
        pass
    assert wait_of(throttle, "ana", "ana's office") == 0


def test_many_addresses_are_slowed_but_the_owner_never_waits_long() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    for number in range(200):
        wait_of(throttle, "ana", f"bot {number}")
        clock.now += 61_000
    for number in range(40):
        wait_of(throttle, "ana", f"other bot {number}")
    assert 0 < wait_of(throttle, "ana", "ana's office") <= 60


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    while wait_of(throttle, "ana", "x") == 0:
        pass
    clock.now -= 24 * 3_600_000
    assert wait_of(throttle, "ana", "x") == 0


def test_one_address_cannot_try_many_accounts() -> None:
    throttle = Throttle(FakeClock())
    tried = sum(wait_of(throttle, f"account {number}", "x") == 0 for number in range(500))
    assert tried == ADDRESS.free


def test_success_forgets_the_accounts_failures_but_not_the_addresss() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    for _ in range(PAIR.free - 1):
        throttle.attempt("ana", "x")
    throttle.attempt("ana", "x")
    throttle.succeeded("ana", "x")
    assert [wait_of(throttle, "ana", "x") for _ in range(PAIR.free)] == [0] * PAIR.free
    # An attacker with an account of their own cannot wash their address clean.
    throttle = Throttle(clock)
    for number in range(ADDRESS.free):
        throttle.attempt(f"victim {number}", "x")
        if number % 3 == 0 and wait_of(throttle, "own", "x") == 0:
            throttle.succeeded("own", "x")
    assert wait_of(throttle, "another victim", "x") > 0


def test_failures_are_forgotten_after_an_hour_and_memory_is_bounded() -> None:
    clock = FakeClock()
    throttle = Throttle(clock)
    while wait_of(throttle, "ana", "x") == 0:
        pass
    clock.now += 3_600_001
    assert wait_of(throttle, "ana", "x") == 0
    for number in range(MOST_ENTRIES):
        wait_of(throttle, f"account {number}", f"address {number}")
    assert len(throttle._entries) <= MOST_ENTRIES


# Permissions and shipped roles (siem.md §11.1-11.2)

READ_AND_WRITE = """
security_monitoring_rules security_monitoring_signals security_monitoring_filters security_monitoring_suppressions
security_monitoring_notification_profiles security_monitoring_findings security_monitoring_datasets
security_monitoring_critical_assets security_monitoring_cws_agent_rules security_pipelines security_comments
appsec_event_rule appsec_protect appsec_activation appsec_vm reference_tables cases incident incident_settings
incident_notification_settings workflows connections audit_logs api_keys org_app_keys
"""
OTHERS = """
security_monitoring_cws_agent_rules_actions bits_security_analyst_write bits_security_analyst_config_write
logs_read_data logs_read_index_data logs_live_tail logs_write_pipelines logs_write_processors logs_modify_indexes
logs_write_exclusion_filters logs_write_facets logs_read_config facets_write saved_views_write
cases_shared_settings_write workflows_run connections_resolve user_access_read user_access_manage user_access_invite
teams_read teams_manage service_account_write api_keys_delete user_app_keys org_management apm_read
integrations_read manage_integrations create_webhooks
"""


def test_the_catalogue_knows_every_specified_permission() -> None:
    specified = {f"{stem}_{kind}" for stem in READ_AND_WRITE.split() for kind in ("read", "write")}
    assert PERMISSIONS.keys() >= specified | set(OTHERS.split())
    assert len(BY_ID) == len(PERMISSIONS)
    for permission in PERMISSIONS.values():
        assert permission.description.endswith(".")
        assert permission.kind in ("read", "write", "other")
    with pytest.raises(BadRequest, match="security_monitoring_rules_raed"):
        check_known(["security_monitoring_rules_raed"])


def test_shipped_roles_widen_step_by_step() -> None:
    held = {key: permissions for key, (_, permissions) in BUILTIN_ROLES.items()}
    steps = ["read_only", STANDARD, "security_analyst", "detection_engineer", ADMIN]
    for narrow, wide in itertools.pairwise(steps):
        assert held[narrow] < held[wide]
    assert held[ADMIN] == PERMISSIONS.keys()
    assert all(PERMISSIONS[name].kind == "read" for name in held["read_only"])
    assert held["read_only"] >= RESTRICTED
    assert {"security_monitoring_signals_write", "security_monitoring_suppressions_write"} <= held[STANDARD]
    assert "security_monitoring_rules_write" not in held[STANDARD]
    assert "security_monitoring_notification_profiles_write" in held["security_analyst"]
    assert "security_monitoring_rules_write" in held["detection_engineer"]
    assert not {"audit_logs_read", "api_keys_read", "user_access_manage"} & held["detection_engineer"]
