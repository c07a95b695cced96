"""Reference tables through the released client, in a lookup of a pipeline and in a filter of a rule."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from api_server import as_model, client_for, sdk_for, serve_services
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v2.api.reference_tables_api import ReferenceTablesApi
from datadog_api_client.v2.model.batch_delete_rows_request_array import BatchDeleteRowsRequestArray
from datadog_api_client.v2.model.batch_upsert_rows_request_array import BatchUpsertRowsRequestArray
from datadog_api_client.v2.model.create_table_request import CreateTableRequest
from datadog_api_client.v2.model.create_upload_request import CreateUploadRequest
from datadog_api_client.v2.model.patch_table_request import PatchTableRequest
from waiting import until

from tocsin.access.audit import drain
from tocsin.query.sql import Sql

pytestmark = pytest.mark.system

BASE = "/api/v2/reference-tables"
SCHEMA = {
    "fields": [
        {"name": "user", "type": "STRING"},
        {"name": "team", "type": "STRING"},
        {"name": "level", "type": "INT32"},
    ],
    "primary_keys": ["user"],
}
ROWS = 'user,team,level\nana,red,3\nben,blue,\nana,green,1\ncy,red,high\n"de,x","a ""b""",-7\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    with serve_services(tmp_path_factory.mktemp("tables")) as served:
        yield served


@pytest.fixture(scope="module")
def sdk(served: tuple[str, Any]) -> Iterator[ReferenceTablesApi]:
    with sdk_for(served[0]) as client:
        yield ReferenceTablesApi(client)


@pytest.fixture(scope="module")
def client(served: tuple[str, Any]) -> Iterator[httpx.Client]:
    with client_for(served[0]) as client:
        yield client


def upload(sdk: ReferenceTablesApi, name: str, *parts: str) -> str:
    """The id of a complete upload."""
    asked = {"table_name": name, "headers": ["user", "team", "level"], "part_count": len(parts), "part_size": 1000}
    begun = sdk.create_reference_table_upload(
        body=as_model(CreateUploadRequest, {"data": {"type": "upload", "attributes": asked}})
    )
    assert begun.data is not None
    for address, part in zip(begun.data.attributes.part_urls, parts, strict=True):
        assert httpx.put(address, content=part.encode()).status_code == 200, "without a key: the address is enough"
    return str(begun.data.id)


def create(sdk: ReferenceTablesApi, name: str, content: str = ROWS, **more: Any) -> Any:
    attributes = {
        "table_name": name,
        "description": "Who is in which team",
        "source": "LOCAL_FILE",
        "schema": SCHEMA,
        "file_metadata": {"upload_id": upload(sdk, name, content)},
        "tags": ["team:soc"],
    } | more
    body = as_model(CreateTableRequest, {"data": {"type": "reference_table", "attributes": attributes}})
    return sdk.create_reference_table(body=body).data


def values(rows: Any) -> dict[str, Any]:
    return {row.id: row.attributes.values for row in rows.data}


def test_a_table_lives(sdk: ReferenceTablesApi, client: httpx.Client) -> None:
    table = create(sdk, "teams")
    told = table.attributes
    assert (told.table_name, told.row_count, str(told.source), told.status) == ("teams", 3, "LOCAL_FILE", "ERROR")
    assert told.file_metadata.error_row_count == 2
    assert told.file_metadata.error_message == (
        "line 4: the primary key 'ana' was there before; line 5: level: 'high' is no whole number"
    )
    everything = {"ana": {"user": "ana", "team": "red", "level": 3}, "ben": {"user": "ben", "team": "blue"}}
    everything["de,x"] = {"user": "de,x", "team": 'a "b"', "level": -7}
    assert values(sdk.get_rows_by_id(table.id, ["ana", "ben", "de,x", "nobody"])) == everything

    rows = [
        {"id": "ana", "type": "row", "attributes": {"values": {"team": "blue"}}},
        {"id": "eve", "type": "row", "attributes": {"values": {"user": "eve", "level": 2}}},
    ]
    sdk.upsert_rows(table.id, body=as_model(BatchUpsertRowsRequestArray, {"data": rows}))
    gone = [{"id": "ben", "type": "row"}, {"id": "nobody", "type": "row"}]
    sdk.delete_rows(table.id, body=as_model(BatchDeleteRowsRequestArray, {"data": gone}))
    found: dict[str, Any] = {}
    token: dict[str, str] = {}
    pages = 0
    while True:
        page = sdk.list_reference_table_rows(table.id, page_limit=1, **token)
        found |= values(page)
        pages += 1
        assert page.links.first.startswith(BASE)
        if "next_continuation_token" not in page.meta.page:
            break
        token = {"page_continuation_token": page.meta.page.next_continuation_token}
    assert pages == 3
    assert found == {
        "ana": {"user": "ana", "team": "blue", "level": 3},
        "de,x": everything["de,x"],
        "eve": {"user": "eve", "level": 2},
    }
    assert sdk.get_table(table.id).data.attributes.row_count == 3

    replaced = {
        "file_metadata": {"upload_id": upload(sdk, "teams", "user,team,level\nfay,", "red,1\n")},
        "tags": ["x:y"],
    }
    sdk.update_reference_table(
        table.id, body=as_model(PatchTableRequest, {"data": {"type": "reference_table", "attributes": replaced}})
    )
    after = sdk.get_table(table.id).data.attributes
    assert (after.row_count, after.status, after.tags, after.description) == (1, "DONE", ["x:y"], told.description)
    assert values(sdk.get_rows_by_id(table.id, ["ana", "fay"])) == {"fay": {"user": "fay", "team": "red", "level": 1}}

    create(sdk, "teams_2")
    assert [one.attributes.table_name for one in sdk.list_tables(sort="table_name").data] == ["teams", "teams_2"]
    assert [one.id for one in sdk.list_tables(filter_table_name_exact="teams").data] == [table.id]
    assert len(sdk.list_tables(filter_table_name_contains="eam", page_limit=1, page_offset=1).data) == 1
    sdk.delete_table(table.id)
    with pytest.raises(ApiException) as missing:
        sdk.get_table(table.id)
    assert missing.value.status == 404
    assert missing.value.body["errors"][0]["title"] == "Not Found"


def test_what_is_refused(sdk: ReferenceTablesApi, client: httpx.Client) -> None:
    body = {"table_name": "t", "source": "LOCAL_FILE", "schema": SCHEMA}

    def refused(**more: Any) -> str:
        document = {"data": {"type": "reference_table", "attributes": body | more}}
        answer = client.post(f"{BASE}/tables", json=document)
        assert answer.status_code == 400
        return str(answer.json()["errors"][0]["detail"])

    assert "upload_id: is required" in refused()
    assert "cannot be read from S3" in refused(source="S3")
    assert "there is no upload" in refused(file_metadata={"upload_id": "nothing"})
    assert "is no column" in refused(file_metadata={"upload_id": "x"}, schema=SCHEMA | {"primary_keys": ["nothing"]})
    assert client.get(f"{BASE}/tables/nothing").status_code == 400
    begun = {"table_name": "t", "headers": ["user", "team", "level"], "part_count": 2, "part_size": 5_000_000}
    answer = client.post(f"{BASE}/uploads", json={"data": {"type": "upload", "attributes": begun}})
    assert answer.status_code == 201
    first, second = answer.json()["data"]["attributes"]["part_urls"]
    assert httpx.put(first, content=b"a" * 4_000_000).status_code == 200
    assert httpx.put(second, content=b"a").status_code == 413
    assert httpx.put(second.partition("?")[0], content=b"a").status_code == 403
    assert "parts 2 of the upload are missing" in refused(file_metadata={"upload_id": answer.json()["data"]["id"]})
    table = create(sdk, "refusing")
    for source, status in (("S3", 400), ("LOCAL_FILE", 200)):  # it may be told, not changed
        document = {"data": {"type": "reference_table", "attributes": {"source": source}}}
        answer = client.patch(f"{BASE}/tables/{table.id}", json=document)
        assert answer.status_code == status, answer.text
    row = {"id": "ana", "type": "row", "attributes": {"values": {"level": 2**31}}}
    answer = client.post(f"{BASE}/tables/{table.id}/rows", json={"data": [row]})
    assert answer.status_code == 400
    assert "data[0]: level: 2147483648 does not fit into 32 bits" in answer.text
    assert create_twice(client, sdk) == 409


def create_twice(client: httpx.Client, sdk: ReferenceTablesApi) -> int:
    attributes = {"table_name": "refusing", "source": "LOCAL_FILE", "schema": SCHEMA}
    attributes["file_metadata"] = {"upload_id": upload(sdk, "refusing", ROWS)}
    document = {"data": {"type": "reference_table", "attributes": attributes}}
    return client.post(f"{BASE}/tables", json=document).status_code


def newest(client: httpx.Client, word: str) -> Any:
    found = until(lambda: client.post("/api/v2/logs/events/search", json={"filter": {"query": word}}).json()["data"])
    return found[0]["attributes"]["attributes"]


def test_lookups_and_rules_use_tables(sdk: ReferenceTablesApi, client: httpx.Client, served: tuple[str, Any]) -> None:
    _, services = served
    table = create(sdk, "staff")
    lookup = {"type": "lookup-processor", "is_enabled": True, "source": "usr.id", "target": "staff"}
    pipeline = {
        "name": "staff",
        "is_enabled": True,
        "filter": {"query": "source:gate"},
        "processors": [{**lookup, "lookup_enrichment_table": "staff"}],
    }
    assert client.post("/api/v1/logs/config/pipelines", json=pipeline).status_code == 200
    tried = client.post(
        "/api/v1/logs/config/pipelines/test", json={"pipeline": pipeline, "samples": [{"usr": {"id": "ana"}}]}
    ).json()["results"][0]
    assert tried["event"]["attributes"]["staff"] == {"user": "ana", "team": "red", "level": 3}
    missing = {**pipeline, "processors": [{**lookup, "lookup_enrichment_table": "stuff"}]}
    tried = client.post(
        "/api/v1/logs/config/pipelines/test", json={"pipeline": missing, "samples": [{"usr": {"id": "ana"}}]}
    ).json()["results"][0]
    assert "there is no reference table 'stuff'" in str(tried["steps"]), "a slip is said where the lookup is tried"
    rule_ids = {}
    for name, is_in in (("in", True), ("not in", False)):
        reference = {
            "tableName": "staff",
            "columnName": "user",
            "logFieldPath": "usr.id",
            "ruleQueryName": "a",
            "checkPresence": is_in,
        }
        rule = {
            "name": name,
            "message": "m",
            "isEnabled": True,
            "queries": [{"name": "a", "query": "source:gate", "groupByFields": ["@usr.id"]}],
            "cases": [{"status": "low", "condition": "a > 0"}],
            "options": {"evaluationWindow": 60, "keepAlive": 300, "maxSignalDuration": 300},
            "referenceTables": [reference],
        }
        made = client.post("/api/v2/security_monitoring/rules", json=rule)
        assert made.status_code == 200, made.text
        assert made.json()["referenceTables"] == [reference]
        rule_ids[made.json()["id"]] = name
        payload = {"index": 0, "expectedResult": is_in, "payload": {"ddsource": "gate", "usr": {"id": "ana"}}}
        tested = client.post(
            f"/api/v2/security_monitoring/rules/{made.json()['id']}/test", json={"ruleQueryPayloads": [payload]}
        )
        assert tested.json() == {"results": [True]}, "a test asks the table too"

    def sent(user: str, word: str) -> Any:
        """What the lookup wrote on a log of the user."""
        log = {"ddsource": "gate", "message": word, "usr": {"id": user}}
        assert client.post("/api/v2/logs", json=[log]).status_code == 202
        return newest(client, word).get("staff")

    def matched() -> set[tuple[str, str]]:
        """User and rule of all matches."""
        rows = services.events.query(Sql("SELECT DISTINCT rule_id, `group` FROM matches"))
        return {(row["group"][0], rule_ids[row["rule_id"]]) for row in rows if row["rule_id"] in rule_ids}

    assert sent("ana", "first") == {"user": "ana", "team": "red", "level": 3}
    assert sent("zoe", "second") is None
    assert matched() == {("ana", "in"), ("zoe", "not in")}

    row = {"id": "zoe", "type": "row", "attributes": {"values": {"team": "blue"}}}
    assert client.post(f"{BASE}/tables/{table.id}/rows", json={"data": [row]}).status_code == 200
    assert services.reference_tables.poll()
    assert sent("zoe", "third") == {"user": "zoe", "team": "blue"}
    assert matched() == {("ana", "in"), ("zoe", "not in"), ("zoe", "in")}
    used = client.get(f"{BASE}/tables/{table.id}").json()["data"]["attributes"]["used_by"]
    assert [(use["kind"], use["name"]) for use in used] == [("rule", "in"), ("rule", "not in"), ("pipeline", "staff")]
    with pytest.raises(ApiException) as refused:
        sdk.delete_table(table.id)
    assert refused.value.status == 409
    assert (
        "is used by the rule 'in', the rule 'not in', the pipeline 'staff'" in refused.value.body["errors"][0]["detail"]
    )
    assert client.request(
        "DELETE", f"{BASE}/tables/{table.id}/rows", json={"data": [{"id": "ana", "type": "row"}]}
    ).is_success
    assert services.reference_tables.poll()
    assert sent("ana", "fourth") is None
    assert matched() == {("ana", "in"), ("zoe", "not in"), ("zoe", "in"), ("ana", "not in")}
    for use in used:
        kind = "/api/v1/logs/config/pipelines" if use["kind"] == "pipeline" else "/api/v2/security_monitoring/rules"
        assert client.delete(f"{kind}/{use['id']}").is_success
    sdk.delete_table(table.id)


def test_a_file_is_checked_before_it_becomes_a_table_and_appended_to_one(
    sdk: ReferenceTablesApi, client: httpx.Client
) -> None:
    body = {"data": {"type": "upload_check", "attributes": {"schema": SCHEMA}}}
    told = client.post(f"{BASE}/uploads/{upload(sdk, 'checked', ROWS)}/check", json=body).json()["data"]["attributes"]
    assert (told["row_count"], told["error_row_count"], told["rows"][0]) == (
        3,
        2,
        {"user": "ana", "team": "red", "level": 3},
    )
    assert told["errors"] == [
        {"line": 4, "message": "the primary key 'ana' was there before"},
        {"line": 5, "message": "level: 'high' is no whole number"},
    ]
    assert client.get(f"{BASE}/tables", params={"filter[table_name][exact]": "checked"}).json()["data"] == []

    table = create(sdk, "growing")
    more = {"data": {"type": "upload", "id": upload(sdk, "growing", "ben,,7\nfay,RED,1\nfay,,\n")}}
    answer = client.post(f"{BASE}/tables/{table.id}/rows/append", json=more)
    told = answer.json()["data"]["attributes"]
    assert (told["added"], told["changed"], told["error_row_count"], told["errors"][0]["line"]) == (1, 1, 1, 3)
    assert client.post(f"{BASE}/tables/{table.id}/rows/append", json=more).status_code == 400, "an upload is used once"
    found = values(sdk.get_rows_by_id(table.id, ["ana", "ben", "fay"]))
    assert found["ben"] == {"user": "ben", "team": "blue", "level": 7}, "columns that the file leaves empty stay"
    assert sdk.get_table(table.id).data.attributes.row_count == 4

    def having(text: str, **more: str) -> tuple[list[str], str | None]:
        page = client.get(f"{BASE}/tables/{table.id}/rows/list", params={"filter[contains]": text, **more}).json()
        return [row["id"] for row in page["data"]], page["links"].get("next")

    assert having("red") == (["ana", "fay"], None), "in any case"
    assert having("7") == (["ben", "de,x"], None), "in numbers too"
    first, following = having("red", **{"page[limit]": "1"})
    assert first == ["ana"] and following is not None
    page = client.get(following).json()
    assert ([row["id"] for row in page["data"]], page["links"].get("next")) == (["fay"], None)
    assert having("nothing") == ([], None)


def test_changes_are_audited(client: httpx.Client, sdk: ReferenceTablesApi, served: tuple[str, Any]) -> None:
    _, services = served
    table = create(sdk, "audited")
    sdk.delete_table(table.id)
    while drain(services.outbox, services.events, services.clock):
        pass
    entries = client.get("/api/v2/audit/events", params={"filter[query]": f"@asset.id:{table.id}"}).json()["data"]
    assert {entry["attributes"]["attributes"]["action"] for entry in entries} == {"created", "deleted"}
