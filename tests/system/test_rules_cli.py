"""Rules as code, as their user meets them: import, evaluate, export, diff, apply, beside a live server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from server import Server
from waiting import until

pytestmark = pytest.mark.system

SIGMA = {
    "title": "Access key made for another user",
    "id": "0a5b2c1d-1111-4222-8333-444455556666",
    "status": "test",
    "level": "high",
    "author": "Ada Example",
    "license": "CC0-1.0",
    "tags": ["attack.persistence", "attack.t1098.001"],
    "logsource": {"product": "aws", "service": "cloudtrail"},
    "detection": {"selection": {"eventName": "createACCESSkey"}, "condition": "selection"},
}
REFUSED = {
    **SIGMA,
    "title": "On a Mac",
    "id": "0a5b2c1d-1111-4222-8333-444455556667",
    "logsource": {"product": "macos", "category": "process_creation"},
}


def record(name: str) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventSource": "iam.amazonaws.com",
        "eventName": name,
        "eventTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mira", "userName": "mira"},
    }


def record_of(document: dict[str, Any]) -> Any:
    return document["tests"]["match"][0]["event"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("rules") / "data").running() as server:
        yield server


def ran(server: Server, *arguments: str | Path, stdin: bytes | None = None, code: int = 0) -> str:
    run = server.tocsin(*map(str, arguments), stdin=stdin)
    errors = run.stderr.decode()
    assert "Traceback" not in errors, errors
    assert run.returncode == code, run.stdout.decode() + errors
    return run.stdout.decode() + errors


@pytest.fixture(scope="module")
def sigma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sigma")
    (directory / "taken.yml").write_text(yaml.dump(SIGMA))
    (directory / "refused.yml").write_text(yaml.dump(REFUSED))
    return directory


def test_import_shows_its_plan_asks_and_can_be_repeated(server: Server, sigma: Path) -> None:
    planned = ran(server, "rules", "import", sigma)
    assert "On a Mac" in planned
    assert "no log source of Tocsin stands for product macos, category process_creation" in planned
    assert "1 create, 0 update, 0 unchanged, 0 refused" in planned
    assert "nothing was changed" in planned
    assert "1 create" in ran(server, "rules", "import", sigma, "--dry-run", "--yes")
    assert "done: 1 create" in ran(server, "rules", "import", sigma, "--yes")
    assert "0 create, 0 update, 1 unchanged" in ran(server, "rules", "import", sigma, "--yes")


def test_a_signal_of_an_imported_rule_names_its_author(server: Server, sigma: Path) -> None:
    ran(server, "rules", "import", sigma, "--yes")
    ran(server, "ingest", "-", stdin=orjson.dumps(record("CreateAccessKey")))
    found = until(lambda: ran(server, "search", "sigma:*", "--track", "signals", "--format", "json").strip())
    signal = found.splitlines()[0]
    assert "Ada Example" in signal
    assert "CC0-1.0" in signal


def test_eval_answers_for_sigma_and_for_rules_of_ours(server: Server, sigma: Path, tmp_path: Path) -> None:
    ours = {
        "id": "abc-def-123",
        "name": "Users made",
        "message": "m",
        "queries": [{"query": "source:cloudtrail @evt.name:CreateUser", "groupByFields": ["@no.such"]}],
        "cases": [{"status": "low", "condition": "a > 0"}],
        "options": {},
    }
    (tmp_path / "ours.yaml").write_text(yaml.dump(ours))
    lines = b"\n".join(
        orjson.dumps({"id": name, "event": record(name)}) for name in ("CreateAccessKey", "CreateUser", "GetUser")
    )
    answers = ran(server, "rules", "eval", sigma / "taken.yml", tmp_path, stdin=lines)
    assert [orjson.loads(line)["matches"] for line in answers.splitlines()] == [[SIGMA["id"]], ["abc-def-123"], []]


def test_rules_run_their_own_tests(server: Server, sigma: Path, tmp_path: Path) -> None:
    """A window, a shipped rule whose signals are read, and what the exit code says."""
    failed = "Mar  2 08:00:00 bastion-1 sshd[12]: Failed password for root from 203.0.113.9 port ${n} ssh2"
    rule = {
        "id": "abc-def-124",
        "name": "Guessed all day",
        "message": "m",
        "type": "signal_correlation",
        "queries": [
            {
                "name": "guessed",
                "defaultRuleId": "ssh-brt-101",
                "aggregation": "event_count",
                "correlatedByFields": ["@network.client.ip"],
            }
        ],
        "cases": [{"name": "", "status": "high", "condition": "guessed > 1"}],
        "options": {"detectionMethod": "threshold", "evaluationWindow": 86400, "keepAlive": 86400},
        "tests": {
            "samples": {"failed": {"ddsource": "sshd", "message": failed}},
            "timelines": [
                {
                    "name": "in the morning and in the evening",
                    "events": [{"sample": "failed", "repeat": 20}, {"at": "9h", "sample": "failed", "repeat": 20}],
                    "signals": [{"severity": "high", "events": 2, "group": {"@network.client.ip": "203.0.113.9"}}],
                }
            ],
        },
    }
    path = tmp_path / "guessed.yaml"
    path.write_text(yaml.dump(rule))
    assert "1 of 1 rules pass, 1 have no tests" in ran(server, "rules", "test", path, sigma / "taken.yml")
    rule["tests"]["timelines"][0]["signals"] = []  # type: ignore[index]
    path.write_text(yaml.dump(rule))
    told = ran(server, "rules", "test", path, code=1)
    assert "a signal too many: severity high, title 'Guessed all day', group @network.client.ip=203.0.113.9" in told
    (line, _) = ran(server, "rules", "test", path, "--json", code=1).splitlines()
    assert orjson.loads(line)["tests"][0]["surplus"][0]["severity"] == "high"
    path.write_text(yaml.dump({**rule, "tests": {"timelines": [{"name": "x", "events": [], "signals": []}]}}))
    (tmp_path / "torn.yaml").write_text("id: [")
    told = ran(server, "rules", "test", tmp_path, code=2)
    assert "tests.timelines[0].events: give at least one" in told
    assert "broken: torn.yaml" in told


def test_export_diff_and_apply_go_round(server: Server, sigma: Path, tmp_path: Path) -> None:
    ran(server, "rules", "import", sigma, "--yes")
    ran(server, "rules", "export", tmp_path)
    (path,) = tmp_path.glob("*.yaml")
    assert "1 unchanged" in ran(server, "rules", "diff", tmp_path)
    document = yaml.safe_load(path.read_text())
    document["cases"][0]["status"] = "critical"
    document["tests"] = {"match": [{"event": record("CreateAccessKey")}]}
    path.write_text(yaml.dump(document))
    changed = ran(server, "rules", "diff", path, code=1)
    assert "1 update" in changed
    assert '"high"' in changed
    assert '"critical"' in changed
    assert "1 update" in ran(server, "rules", "apply", tmp_path, "--dry-run")
    assert "done: 0 create, 1 update" in ran(server, "rules", "apply", tmp_path, "--yes")
    assert "1 unchanged" in ran(server, "rules", "apply", tmp_path, "--yes")
    ran(server, "rules", "export", tmp_path)
    assert yaml.safe_load(path.read_text())["tests"] == document["tests"], "tests in the file stay"
    elsewhere = tmp_path.with_name(f"{tmp_path.name}-elsewhere")
    ran(server, "rules", "export", elsewhere)
    (other,) = (elsewhere).glob("*.yaml")
    assert yaml.safe_load(other.read_text())["tests"]["match"][0]["event"] == record_of(document)
    document["queries"][0]["query"] = "@a:("
    path.write_text(yaml.dump(document))
    assert "1 refused" in ran(server, "rules", "apply", tmp_path, "--yes", code=1)
