"""Texts made of rules: Terraform, lines of history, file names, ids."""

import io
import random
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from tocsin.rules.archive import zip_of
from tocsin.rules.changes import changes_between
from tocsin.rules.ids import is_rule_id, new_rule_id
from tocsin.rules.shape import rule_from_api
from tocsin.rules.terraform import to_terraform

EXPECTED = r"""resource "datadog_security_monitoring_rule" "Door_rattled__twice_" {
	name = "Door rattled (twice)"
	enabled = true
	query {
		query = "source:sshd @msg:\"a $${b}\""
		group_by_fields = ["@usr.id", "host"]
		has_optional_group_by_fields = false
		distinct_fields = []
		aggregation = "count"
		name = ""
		data_source = "logs"
	}
	options {
		keep_alive = 3600
		max_signal_duration = 86400
		detection_method = "threshold"
		evaluation_window = 300
	}
	case {
		name = ""
		status = "info"
		notifications = ["@soc"]
		condition = "a > 0"
	}
	message = "one\ntwo %%{x}"
	tags = []
	has_extended_title = false
	type = "log_detection"
}
"""


def test_terraform() -> None:
    rule = rule_from_api(
        {
            "name": "Door rattled (twice)",
            "message": "one\ntwo %{x}",
            "isEnabled": True,
            "queries": [{"query": 'source:sshd @msg:"a ${b}"', "groupByFields": ["@usr.id", "host"]}],
            "cases": [{"status": "info", "condition": "a > 0", "notifications": ["@soc"]}],
            "options": {"evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
        }
    )
    assert to_terraform(rule) == EXPECTED


def test_terraform_keeps_what_filters_a_query() -> None:
    table = {"tableName": "vip", "columnName": "mail", "logFieldPath": "usr.email", "ruleQueryName": "a"}
    body = {
        "name": "n",
        "queries": [{"query": "x"}],
        "cases": [],
        "referenceTables": [{**table, "checkPresence": False}],
    }
    lines = ["reference_tables {", '\ttable_name = "vip"', '\tcolumn_name = "mail"', '\tlog_field_path = "usr.email"']
    lines += ['\trule_query_name = "a"', "\tcheck_presence = false", "}"]
    assert "".join(f"\t{line}\n" for line in lines) in to_terraform(rule_from_api(body))


def test_changes_name_member_and_kind() -> None:
    old = {"id": "x", "version": 1, "name": "a", "tags": ["t"], "customName": "c"}
    new = {"id": "x", "version": 2, "name": "b", "tags": ["t"], "groupSignalsBy": ["host"]}
    assert changes_between(old, new) == [
        {"type": "update", "field": "name", "change": "a → b"},
        {"type": "create", "field": "groupSignalsBy", "change": '["host"]'},
        {"type": "delete", "field": "customName", "change": "c"},
    ]
    assert changes_between(new, new) == []


@given(st.lists(st.text(max_size=20), max_size=6))
def test_zip_holds_every_rule_under_a_name_that_stays_in_its_directory(names: list[str]) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zip_of((name, ".json", f"{i}") for i, name in enumerate(names))))
    entries = archive.namelist()
    assert len({entry.casefold() for entry in entries}) == len(names)
    assert not any("/" in entry or "\\" in entry or entry.startswith(".") for entry in entries)
    assert sorted(archive.read(entry).decode() for entry in entries) == sorted(str(i) for i in range(len(names)))


def test_rule_ids_have_their_shape() -> None:
    made = [new_rule_id(random.Random(seed).randrange) for seed in range(50)]
    assert all(is_rule_id(rule_id) for rule_id in made) and len(set(made)) == 50
    assert not any(is_rule_id(text) for text in ("", "abc", "ABC-def-123", "abc-def-12", "abc-def-1234", "a/c-def-123"))


def test_a_schedule_and_calculated_fields_are_blocks_of_the_resource() -> None:
    text = to_terraform(
        rule_from_api(
            {
                "name": "n",
                "message": "m",
                "queries": [{"query": "#x:1", "index": "main"}],
                "schedulingOptions": {"rrule": "FREQ=DAILY", "start": "2030-01-01T00:00:00", "timezone": "UTC"},
                "calculatedFields": [{"name": "x", "expression": "1"}, {"name": "y", "expression": '"a"'}],
            },
            rule_id="abc-def-123",
        )
    )
    assert '\t\tindexes = ["main"]\n' in text
    assert '\tscheduling_options {\n\t\trrule = "FREQ=DAILY"\n\t\tstart = "2030-01-01T00:00:00"\n' in text
    assert text.count("\tcalculated_field {\n") == 2
    assert '\t\tname = "y"\n\t\texpression = "\\"a\\""\n' in text
