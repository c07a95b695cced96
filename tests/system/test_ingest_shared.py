"""The main job on real logs: every set goes in without a loss, is taken apart, and raises the signals that it should.

The sets carry labels (who attacked, by which technique), which `tocsin ingest` keeps under `dataset`; so what was
found can be compared with what was there. Figures are printed; what is asserted lies a little below them.
"""

import gzip
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from server import Server

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SETS = {
    "cloudtrail/stratus.jsonl.gz": 94,
    "cloudtrail/invictus.jsonl.gz": 2_900,
    "auth-sshd/auth.log.gz": 7_121,
    "web-access/apache-access.log.gz": 10_000,
    "windows/evtx-mitre.jsonl.gz": 10_015,
}
"""Files and how many records they hold. Some lines of the text files are equal; each of them is an event."""

OTRF = "windows/otrf.jsonl.gz"
OTRF_RECORDINGS = (
    "cmd_bitsadmin_download_psh_script",
    "cmd_lsass_memory_dumpert_syscalls",
    "cmd_psexec_lsa_secrets_dump",
    "cmd_seatbelt_group_user",
    "cmd_service_mod_fax",
    "covenant_dcsync_dcerpc_drsuapi_DsGetNCChanges",
    "covenant_copy_smb_CreateRequest",
    "empire_monologue_netntlm_downgrade",
    "psh_mshta_html_application_execution",
)
"""A part of that set: the whole has 69,523 events, which would take minutes."""

UNDONE = ("Delete", "Detach", "Remove", "Revoke", "Describe", "List", "StartLogging")
"""What the tool calls to clean up, and to see whether it is signed in."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout"),
]


def records(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name) as file:
        yield from map(orjson.loads, file)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("shared")
    # the files are years old: nothing of them may expire while we look
    forever = {"logs_retention_days": "0", "signals_retention_days": "0"}
    with Server(directory / "data", **forever).running() as server:
        part = directory / "otrf.jsonl.gz"
        rows = [row for row in records(OTRF) if row["dataset"] in OTRF_RECORDINGS]
        part.write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, rows)), 1))
        began = time.monotonic()
        for name, expected in {**SETS, str(part): len(rows)}.items():
            stored(server.tocsin("ingest", str(DATA / name)), expected)
        seconds = time.monotonic() - began
        total = sum(SETS.values()) + len(rows)
        print(f"\n{total} events in {seconds:.0f} s ({total / seconds:.0f}/s)")
        yield server


def stored(run: Any, expected: int) -> None:
    """A run of `tocsin ingest` that stored all events, none twice, none rejected."""
    lines = dict(reversed(line.strip().split(maxsplit=1)) for line in run.stdout.decode().splitlines())
    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()
    assert lines == {next(k for k in lines if k.startswith("accepted")): f"{expected:,}", "stored": f"{expected:,}"}


@pytest.fixture(scope="module")
def total_of(server: Server) -> Callable[[str], int]:
    """How many events a source has; each is counted once."""
    return cache(lambda source: count(server, f"source:{source}"))


@pytest.fixture(scope="module")
def signals(server: Server) -> list[dict[str, Any]]:
    """All signals, once no more come."""
    server.rest(sum(SETS.values()))
    body = {"filter": {"query": "*", "from": 0, "to": "now"}, "page": {"limit": 1000}}
    return [s["attributes"]["custom"] for s in server.post("/api/v2/explore/signals/events", body)["data"]]


def count(server: Server, query: str, since: str | int = 0, until: str = "now") -> int:
    body = {"filter": {"query": query, "from": since, "to": until}, "compute": [{"aggregation": "count"}]}
    buckets = server.post("/api/v2/logs/analytics/aggregate", body)["data"]["buckets"]
    return int(buckets[0]["computes"]["c0"]) if buckets else 0


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def label(signal: dict[str, Any], name: str) -> list[Any]:
    """What the labels of a signal's events say."""
    flat = signal.get("winlog", {}).get("event_data", {})
    labels = signal.get("dataset") or (flat.get("dataset") if isinstance(flat, dict) else None) or {}
    return as_list(labels.get(name))


def rule_of(signal: dict[str, Any]) -> str:
    return str(signal["workflow"]["rule"]["id"])


def test_nothing_is_lost_and_nothing_doubled(server: Server) -> None:
    status = server.get("/api/v2/tocsin/intake/status")["data"]["attributes"]
    part = status["kept"]["stored"] - sum(SETS.values())
    assert status["since_start"]["stored"] == status["since_start"]["accepted"] == status["kept"]["stored"]
    assert part == sum(row["dataset"] in OTRF_RECORDINGS for row in records(OTRF))
    assert status["kept"]["rejected"] == {}

    again = server.tocsin("ingest", str(DATA / "web-access/apache-access.log.gz"))
    assert again.returncode == 0
    assert "          0  stored\n     10,000  were stored before" in again.stdout.decode()
    assert server.get("/api/v2/tocsin/intake/status")["data"]["attributes"]["kept"] == status["kept"]


@pytest.mark.parametrize(
    ("source", "query", "least"),
    [
        ("cloudtrail", "@evt.name:*", 1.0),
        ("cloudtrail", "@evt.outcome:(success OR failure)", 1.0),
        ("cloudtrail", "@usr.id:*", 1.0),
        ("cloudtrail", "@network.client.ip:*", 0.87),
        ("cloudtrail", "service:*", 1.0),
        ("sshd", "host:*", 1.0),
        ("sshd", "service:*", 1.0),
        ("sshd", "@evt.name:*", 0.99),
        ("sshd", "@usr.name:*", 0.55),
        ("sshd", "@network.client.ip:*", 0.35),
        ("(nginx OR apache)", "@http.status_code:[100 TO 599]", 1.0),
        ("(nginx OR apache)", "@network.client.geoip.country.iso_code:*", 0.99),
        ("(nginx OR apache)", "@evt.outcome:(success OR failure)", 1.0),
        ("(nginx OR apache)", "@http.url_details.path:*", 0.99),
        ("windows", "host:*", 0.99),
        ("windows", "@winlog.event_id:[0 TO 65535]", 1.0),
        ("windows", "@evt.name:*", 0.95),
    ],
)
def test_standard_attributes(
    server: Server, total_of: Callable[[str], int], source: str, query: str, least: float
) -> None:
    total = total_of(source)
    share = count(server, f"source:{source} {query}") / total
    print(f"\nsource:{source} {query}: {share:.3f} of {total}")
    assert share >= least


def test_events_keep_their_own_time(server: Server) -> None:
    # lines of auth.log name no year; all others are from 2015 to 2024
    assert count(server, "-source:sshd", since="now-365d") == 0
    assert count(server, "source:cloudtrail @evt.name:StopLogging @awsRegion:*", until="2024-08-01T00:00:00Z") > 0


def test_every_technique_of_stratus(signals: list[dict[str, Any]]) -> None:
    wanted = {row["technique"] for row in records("cloudtrail/stratus.jsonl.gz")}
    found = {technique for signal in signals for technique in label(signal, "technique")}
    assert len(wanted) == 10
    assert wanted <= found


def test_most_attacks_on_the_cloud_account(signals: list[dict[str, Any]]) -> None:
    calls: dict[str, set[str]] = defaultdict(set)
    for row in records("cloudtrail/invictus.jsonl.gz"):
        if row["label"] == "attack":
            calls[row["run"]].add(row["event"]["eventName"])
    wanted = {run for run, names in calls.items() if not all(name.startswith(UNDONE) for name in names)}
    found = {run for signal in signals for run in label(signal, "run")} & wanted
    print(f"\nof {len(wanted)} attacks {len(found)} are in a signal; without: {[calls[run] for run in wanted - found]}")
    assert len(found) >= 0.8 * len(wanted)


def test_little_noise_in_the_cloud_account(signals: list[dict[str, Any]]) -> None:
    """No signal stands on background alone."""
    of_account = [signal for signal in signals if label(signal, "label") and not label(signal, "case")]
    assert of_account
    assert [rule_of(signal) for signal in of_account if set(label(signal, "label")) == {"background"}] == []


def test_most_recordings_of_windows(signals: list[dict[str, Any]]) -> None:
    """The recorder cleared many logs before it began; that counts only where it is what was to be shown."""
    recordings = {row["dataset"]: row["technique"] or "" for row in records("windows/evtx-mitre.jsonl.gz")}
    found = {
        name
        for signal in signals
        for name in label(signal, "dataset")
        if name in recordings and (rule_of(signal) != "win-clr-307" or recordings[name].startswith("T1070"))
    }
    print(f"\nof {len(recordings)} recordings {len(found)} are in a signal")
    assert len(found) >= 0.75 * len(recordings)


def test_techniques_amid_the_noise_of_a_domain(signals: list[dict[str, Any]]) -> None:
    """The recorder cleared the log before it began, which is no part of the technique."""
    found = {
        name
        for signal in signals
        if rule_of(signal) != "win-clr-307"
        for name in label(signal, "dataset")
        if name in OTRF_RECORDINGS
    }
    assert found == set(OTRF_RECORDINGS)


def test_addresses_that_guess_passwords(signals: list[dict[str, Any]]) -> None:
    guessing = {
        address
        for signal in signals
        if rule_of(signal) in ("ssh-brt-101", "ssh-spr-102")
        for address in as_list(signal["network"]["client"]["ip"])
    }
    assert {"24.151.103.17", "34.204.227.175", "91.197.232.109", "49.4.143.105", "201.178.81.113"} <= guessing


def test_probes_of_the_web_site(signals: list[dict[str, Any]]) -> None:
    probing = {
        address
        for signal in signals
        if rule_of(signal) == "web-adm-206"
        for address in as_list(signal["network"]["client"]["ip"])
    }
    lines = gzip.decompress((DATA / "web-access/apache-access.log.gz").read_bytes()).decode().splitlines()
    probes = {line.split()[0] for line in lines if "/wp-login.php" in line or "/phpmyadmin/" in line.lower()}
    assert len(probes) > 10
    assert probes <= probing


def test_rules_that_must_fire(signals: list[dict[str, Any]]) -> None:
    fired = {rule_of(signal) for signal in signals}
    expected = {
        "aws-trl-002": "StopLogging",
        "aws-grd-013": "DeleteFlowLogs",
        "aws-adm-003": "AttachUserPolicy",
        "aws-sec-006": "GetSecretValue",
        "aws-snp-010": "ModifySnapshotAttribute",
        "aws-mfa-017": "ConsoleLogin",
        "aws-udc-018": "ModifyInstanceAttribute",
        "ssh-brt-101": "auth.log",
        "web-adm-206": "access log",
        "win-clr-307": "1102",
        "win-dcs-315": "DCSync",
        "win-dmp-312": "LSASS",
        "win-krb-314": "Kerberoast",
        "win-vss-327": "shadow copies",
        "win-rex-338": "PsExec",
        "win-aud-328": "auditpol",
    }
    assert set(expected) <= fired
