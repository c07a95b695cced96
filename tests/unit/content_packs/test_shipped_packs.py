"""The packs that are shipped, against the rules and pipelines that they are about."""

import re
from pathlib import Path

import pytest

from tocsin.bootstrap import content_directory
from tocsin.content_packs.packs import BrokenPack, Pack, packs_of, read_packs, takes
from tocsin.demo import samples
from tocsin.pipelines.shipped import read_shipped as read_pipelines
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import load_document

PACKS = read_packs(content_directory() / "packs")
RULES = {
    path.stem: rule_from_api(load_document(path)) for path in sorted((content_directory() / "rules").glob("*.yaml"))
}
OF_NO_SOURCE = {"any", "threat-intel"}
"""Rules over logs of all kinds."""

ALERTS = {"amazon-guardduty", "falco", "suricata", "modsecurity"}
"""Their records need no pipeline."""


def test_every_rule_belongs_to_a_pack_and_every_pack_has_rules() -> None:
    without = [name for name, rule in RULES.items() if not packs_of(rule, PACKS)]
    assert all(f"source:{source}" not in RULES[name].tags for name in without for source in ("okta", "windows"))
    assert all({tag[7:] for tag in RULES[name].tags if tag.startswith("source:")} <= OF_NO_SOURCE for name in without)
    assert {pack.id for rule in RULES.values() for pack in packs_of(rule, PACKS)} == {pack.id for pack in PACKS}


def test_every_pipeline_belongs_to_one_pack() -> None:
    queries = {
        name: body["filter"]["query"] for name, body in read_pipelines(content_directory() / "pipelines").items()
    }
    found = {name: [pack.id for pack in PACKS if takes(query, pack)] for name, query in queries.items()}
    assert {name: packs for name, packs in found.items() if len(packs) != 1} == {}
    assert {pack.id for pack in PACKS} - {pack for packs in found.values() for pack in packs} == ALERTS


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.id)
def test_a_guide_says_what_to_do(pack: Pack) -> None:
    assert pack.guide
    for step in pack.guide:
        assert step.text.endswith(":")
        assert set(re.findall(r"\{(\w+)\}", step.text + step.command)) <= {"url", "host"}
    assert any(source in step.command for step in pack.guide for source in (*pack.sources, "tocsin ingest {} +"))


def test_samples_are_of_sources_that_packs_have() -> None:
    assert len([pack for pack in PACKS if samples.source_of(pack.sources)]) == 10


def test_what_is_wrong_with_a_pack_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: One\nabout: x\nsources: [a]\n")
    with pytest.raises(BrokenPack, match=r"one\.yaml: .*guide"):
        read_packs(tmp_path)
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\nabout: x\nsources: [a]\nguide: []\n")
    with pytest.raises(BrokenPack, match="the packs one and two both have the source a"):
        read_packs(tmp_path)
