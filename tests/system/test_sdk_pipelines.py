"""Pipelines through the released client, and what a change of them does to the logs that arrive next."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_server import client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.logs_pipelines_api import LogsPipelinesApi
from datadog_api_client.v1.model.logs_pipeline import LogsPipeline
from datadog_api_client.v1.model.logs_pipelines_order import LogsPipelinesOrder
from waiting import until

from tocsin.access.audit import drain
from tocsin.pipelines import repository
from tocsin.query.sql import Sql

pytestmark = pytest.mark.system

BASE = "/api/v1/logs/config/pipelines"

BODY: dict[str, Any] = {
    "name": "Doors",
    "is_enabled": True,
    "filter": {"query": "source:door"},
    "tags": ["team:gate"],
    "description": "Who opened what",
    "processors": [
        {
            "type": "grok-parser",
            "name": "words",
            "is_enabled": True,
            "source": "message",
            "samples": [],
            "grok": {"support_rules": "", "match_rules": "r %{word:evt.name} %{notSpace:who}( %{word})?"},
        },
        {
            "type": "pipeline",
            "name": "inner",
            "is_enabled": True,
            "filter": {"query": "@evt.name:opened"},
            "processors": [
                {
                    "type": "attribute-remapper",
                    "name": "who",
                    "is_enabled": True,
                    "sources": ["who"],
                    "source_type": "attribute",
                    "target": "usr.id",
                    "target_type": "attribute",
                    "preserve_source": False,
                    "override_on_conflict": False,
                }
            ],
        },
        {"type": "exclude-attribute", "name": "none", "is_enabled": False, "attribute_to_exclude": "evt"},
    ],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    with serve_services(tmp_path_factory.mktemp("pipelines")) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Any]) -> Iterator[LogsPipelinesApi]:
    with sdk_for(served[0]) as client:
        yield LogsPipelinesApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Any]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


def is_unparsed(model: Any) -> bool:
    """Whether anything in an answer is not what the client knows."""
    if isinstance(model, list):
        return any(is_unparsed(item) for item in model)
    if type(model).__name__ == "UnparsedObject" or getattr(model, "_unparsed", False):
        return True
    return any(is_unparsed(value) for value in getattr(model, "_data_store", {}).values())


def newest(client: httpx.Client, word: str) -> Any:
    """The attributes of the log with this word, as soon as it is found."""
    found = until(lambda: client.post("/api/v2/logs/events/search", json={"filter": {"query": word}}).json()["data"])
    return found[0]["attributes"]["attributes"]


def test_what_is_shipped_is_there_and_can_only_be_switched(sdk: LogsPipelinesApi, client: httpx.Client) -> None:
    shipped = sdk.list_logs_pipelines().value
    assert "sshd and auth.log" in {one.name for one in shipped}
    assert all(one.is_read_only and one.is_enabled for one in shipped)
    assert not is_unparsed(shipped)
    one = client.get(f"{BASE}/{shipped[0].id}").json()
    renamed = client.put(f"{BASE}/{one['id']}", json={**one, "name": "Other"})
    assert renamed.status_code == 400
    assert "can be switched on and off" in renamed.text
    assert client.delete(f"{BASE}/{one['id']}").status_code == 400
    off = client.put(f"{BASE}/{one['id']}", json={**one, "is_enabled": False}).json()
    assert off["is_enabled"] is False
    assert client.put(f"{BASE}/{one['id']}", json={**off, "is_enabled": True}).json() == one


def test_a_pipeline_lives(sdk: LogsPipelinesApi, client: httpx.Client, served: tuple[str, Any]) -> None:
    logs = [{"ddsource": "door", "message": "opened ana first"}]
    assert client.post("/api/v2/logs", json=logs).status_code == 202
    assert "usr" not in newest(client, "first")

    made = sdk.create_logs_pipeline(body=LogsPipeline(**BODY))
    assert not is_unparsed(made)
    assert client.get(f"{BASE}/{made.id}").json() == {
        **BODY,
        "id": made.id,
        "type": "pipeline",
        "is_read_only": False,
        "version": made.version,
    }, "processors come back as they were given"
    client.post("/api/v2/logs", json=[{"ddsource": "door", "message": "opened ana second"}])
    assert newest(client, "second") == {"evt": {"name": "opened"}, "usr": {"id": "ana"}}

    order = sdk.get_logs_pipeline_order().pipeline_ids
    assert order[-1] == made.id
    moved = [made.id, *order[:-1]]
    assert sdk.update_logs_pipeline_order(body=LogsPipelinesOrder(pipeline_ids=moved)).pipeline_ids == moved
    assert [one.id for one in sdk.list_logs_pipelines().value] == moved
    with pytest.raises(ApiException) as refused:
        sdk.update_logs_pipeline_order(body=LogsPipelinesOrder(pipeline_ids=order[:-1]))
    assert refused.value.status == 422

    sdk.update_logs_pipeline(made.id, body=LogsPipeline(**{**BODY, "is_enabled": False}))
    client.post("/api/v2/logs", json=[{"ddsource": "door", "message": "opened ana third"}])
    assert "usr" not in newest(client, "third")
    sdk.delete_logs_pipeline(made.id)
    with pytest.raises(ApiException) as gone:
        sdk.get_logs_pipeline(made.id)
    assert gone.value.status == 404
    assert made.id not in sdk.get_logs_pipeline_order().pipeline_ids


def test_every_mistake_is_told_at_its_place(client: httpx.Client) -> None:
    bad = {**BODY, "processors": [BODY["processors"][0], {"type": "category-processor", "target": "a"}]}
    answer = client.post(BASE, json=bad)
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == [
        {"code": "invalid", "target": "processors[1].categories", "message": "a list is expected"}
    ]
    assert client.post(BASE, json={**BODY, "filter": {"query": "("}}).json()["error"]["details"][0]["target"] == (
        "filter.query"
    )
    assert client.post(BASE, json=[]).status_code == 400
    assert client.put(f"{BASE}/nothing", json=BODY).status_code == 404
    assert client.delete(f"{BASE}/nothing").status_code == 404


def test_who_saves_what_they_did_not_see_is_told(client: httpx.Client) -> None:
    made = client.post(BASE, json=BODY).json()
    path = f"{BASE}/{made['id']}"
    theirs = client.put(path, json={**made, "description": "theirs"}).json()
    assert theirs["version"] != made["version"]
    late = client.put(path, json={**made, "description": "mine"})
    assert late.status_code == 409
    assert "changed meanwhile" in late.json()["errors"][0]
    assert client.get(path).json() == theirs
    assert client.put(path, json={**BODY, "description": "mine"}).json()["description"] == "mine", "without a version"
    client.delete(path)


def test_a_pipeline_is_tried_step_by_step(client: httpx.Client) -> None:
    answer = client.post(f"{BASE}/test", json={"pipeline": BODY, "samples": ["opened ana", {"message": "shut ben"}]})
    opened, shut = answer.json()["results"]
    assert [(step["where"], step["outcome"]) for step in opened["steps"]] == [
        ("processors[0]", "changed"),
        ("processors[1].processors[0]", "changed"),
        ("processors[2]", "disabled"),
    ]
    assert opened["is_matched"]
    assert opened["before"]["message"] == "opened ana"
    assert opened["before"]["attributes"] == {}
    assert opened["steps"][0]["event"]["attributes"] == {"evt": {"name": "opened"}, "who": "ana"}
    assert opened["event"]["attributes"] == {"evt": {"name": "opened"}, "usr": {"id": "ana"}}
    assert [step["outcome"] for step in shut["steps"]] == ["changed", "not_matched", "disabled"]
    assert len(client.get(BASE).json()) == len(client.get("/api/v1/logs/config/pipeline-order").json()["pipeline_ids"])


def test_changes_are_audited_and_seen_by_other_processes(client: httpx.Client, served: tuple[str, Any]) -> None:
    _, services = served
    seen = []
    services.pipelines.on_change(lambda: seen.append(len(services.pipelines.active())))
    before = len(services.pipelines.active())
    made = client.post(BASE, json=BODY).json()
    assert seen == [before + 1]
    with services.state.transaction() as session:  # as another process would have left it
        repository.remove(session, made["id"], 1)
    assert services.pipelines.poll()
    assert seen == [before + 1, before]
    assert not services.pipelines.poll()
    while drain(services.outbox, services.events, services.clock):
        pass
    entries = client.get("/api/v2/audit/events", params={"filter[query]": f"@asset.id:{made['id']}"}).json()["data"]
    assert [entry["attributes"]["attributes"]["action"] for entry in entries] == ["created"]
    assert entries[0]["attributes"]["attributes"]["evt"]["name"] == "Log Management"


def test_an_old_log_is_kept_as_long_as_any(client: httpx.Client, served: tuple[str, Any]) -> None:
    """What was accepted today is there tomorrow, however old its own time is, also once the expired is dropped."""
    _, services = served
    assert services.config.logs_retention_days
    old = {"message": "from long ago", "timestamp": "2019-05-05T05:05:05Z"}
    assert client.post("/api/v2/logs", json=[old]).status_code == 202
    services.events.command(Sql("OPTIMIZE TABLE logs FINAL"))
    asked = {"filter": {"query": '"from long ago"', "from": "2019-01-01T00:00:00Z", "to": "now"}}
    (found,) = client.post("/api/v2/logs/events/search", json=asked).json()["data"]
    assert found["attributes"]["timestamp"].startswith("2019-05-05T05:05:05")
