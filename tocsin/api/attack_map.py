"""The ATT&CK map of the rules (ours; siem.md §10.3)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.security import requires
from tocsin.explore.times import parse_time
from tocsin.rules.attack import TACTICS, VERSION, Technique, techniques
from tocsin.rules.attack_map import AttackMap, AttackMaps, Stray, Tile


async def _maps(services: Services) -> AttackMaps:
    maps: AttackMaps = services.attack_maps
    return maps


Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]

router = APIRouter(tags=["rules"])


class AttackTile(BaseModel):
    """A technique under one of its tactics: the rules that look for it, by id, and those that name a sub-technique."""

    technique: str
    rules: list[str]
    enabled: int
    sub_techniques: dict[str, int]


class AttackTacticAttributes(BaseModel):
    """`rules` counts each rule once, in however many tiles it is."""

    name: str
    url: str
    rules: int
    tiles: list[AttackTile]


class AttackTactic(BaseModel):
    id: str
    type: Literal["attack_tactic"] = "attack_tactic"
    attributes: AttackTacticAttributes


class AttackTechniqueAttributes(BaseModel):
    """`text` is the beginning of the description."""

    name: str
    url: str
    text: str


class AttackTechnique(BaseModel):
    """A technique or sub-technique."""

    id: str
    type: Literal["attack_technique"] = "attack_technique"
    attributes: AttackTechniqueAttributes


class StrayRule(BaseModel):
    """A rule that is not where its tags would have it, and why; no reason at all: it has no technique tag."""

    id: str
    name: str
    enabled: bool
    reasons: list[str]


class AttackMapMeta(BaseModel):
    """`query` finds the rules of this map in the list of rules. `active_sources` sent logs in the time asked for;
    `sourceless` rules were left out because their tags name no source."""

    version: str
    attribution: str
    rules: int
    query: str
    active_sources: list[str]
    sourceless: int
    not_on_map: list[StrayRule]


class AttackMapAnswer(BaseModel):
    data: list[AttackTactic]
    included: list[AttackTechnique]
    meta: AttackMapMeta


ATTRIBUTION = (
    "© 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE "
    "Corporation. ATT&CK is a registered trademark of The MITRE Corporation."
)


@router.get("/api/v2/security_monitoring/attack_map")
def get_attack_map(
    services: Services,
    maps: Annotated[AttackMaps, Depends(_maps)],
    _actor: Reader,
    start: Annotated[str, Query(alias="from")] = "now-7d",
    end: Annotated[str, Query(alias="to")] = "now",
    query: Annotated[str, Query(description="A search for rules.")] = "enabled:true",
    sources: Annotated[Literal["active", "all"], Query(description="Sources that sent logs, or all.")] = "active",
) -> AttackMapAnswer:
    """Every technique by tactic with the rules that look for it; tiles without rules are gaps."""
    now = services.clock()
    found = maps.read(parse_time(start, now), parse_time(end, now), query, only_active=sources == "active")
    return AttackMapAnswer(
        data=[_tactic(tactic, tiles) for tactic, tiles in found.tactics.items()],
        included=[_technique(technique) for technique in techniques().values()],
        meta=_meta(found),
    )


def _tactic(tactic: str, tiles: tuple[Tile, ...]) -> AttackTactic:
    attributes = AttackTacticAttributes(
        name=TACTICS[tactic],
        url=f"https://attack.mitre.org/tactics/{tactic}",
        rules=len({rule.id for tile in tiles for rule in tile.rules}),
        tiles=[
            AttackTile(
                technique=tile.technique.id,
                rules=[rule.id for rule in tile.rules],
                enabled=sum(rule.is_enabled for rule in tile.rules),
                sub_techniques=dict(tile.sub_techniques),
            )
            for tile in tiles
        ],
    )
    return AttackTactic(id=tactic, attributes=attributes)


def _technique(technique: Technique) -> AttackTechnique:
    attributes = AttackTechniqueAttributes(name=technique.name, url=technique.url, text=technique.text)
    return AttackTechnique(id=technique.id, attributes=attributes)


def _meta(found: AttackMap) -> AttackMapMeta:
    return AttackMapMeta(
        version=VERSION,
        attribution=ATTRIBUTION,
        rules=found.rules,
        query=found.query,
        active_sources=list(found.active_sources),
        sourceless=found.sourceless,
        not_on_map=[_stray(stray) for stray in found.strays],
    )


def _stray(stray: Stray) -> StrayRule:
    return StrayRule(
        id=stray.rule.id,
        name=stray.rule.custom_name or stray.rule.name,
        enabled=stray.rule.is_enabled,
        reasons=[problem.message for problem in stray.problems],
    )
