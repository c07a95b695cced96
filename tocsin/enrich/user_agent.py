"""User agents to `os`, `browser`, `device` (siem.md §1.11). Agents repeat, so each is parsed once."""

from functools import lru_cache
from typing import Any

from ua_parser import Result, parse

from tocsin.query.values import Scalar, flatten

LONGEST = 1_000
"""Characters that are looked at: real agents are shorter, attacks are not."""

OTHER = "Other"

_MOBILE_SYSTEMS = {"Android", "iOS", "Windows Phone", "BlackBerry OS", "KaiOS", "Symbian OS", "Tizen", "HarmonyOS"}
_DESKTOP_SYSTEMS = {"Windows", "Mac OS X", "Linux", "Ubuntu", "Fedora", "Debian", "Chrome OS", "FreeBSD", "OpenBSD"}
_TABLETS = ("iPad", "Tablet", "Kindle", "SM-T", "Nexus 7", "Nexus 9", "Nexus 10")


def parse_user_agent(text: str) -> dict[str, Any]:
    """`{"os": {"family", "major"?, "minor"?}, "browser": {…}, "device": {"family", "category", …}}`, a new object."""
    details, _ = _parsed(text[:LONGEST])
    return {name: part.copy() for name, part in details.items()}


def user_agent_values(text: str) -> dict[str, list[Scalar]]:
    """The same as values by path (`flatten`); nobody may change it."""
    return _parsed(text[:LONGEST])[1]


@lru_cache(maxsize=16384)
def _parsed(text: str) -> tuple[dict[str, dict[str, str]], dict[str, list[Scalar]]]:
    result = parse(text)
    browser: dict[str, str] = {"family": OTHER}
    if result.user_agent:
        browser = _versioned(result.user_agent)
    system: dict[str, str] = {"family": OTHER}
    if result.os:
        system = _versioned(result.os)
    device: dict[str, str] = {"family": OTHER}
    if result.device:
        device["family"] = result.device.family
        device |= {
            name: value for name, value in (("brand", result.device.brand), ("model", result.device.model)) if value
        }
    device["category"] = _category(result)
    details = {"os": system, "browser": browser, "device": device}
    return details, flatten(details)


def _versioned(part: Any) -> dict[str, str]:
    found = {"family": part.family}
    for name in ("major", "minor", "patch"):
        value = getattr(part, name)
        if value is None:
            break
        found[name] = value
    return found


def _category(result: Result) -> str:
    device = result.device.family if result.device else OTHER
    system = result.os.family if result.os else OTHER
    if device == "Spider":
        return "Bot"
    if any(sign in device for sign in _TABLETS):
        return "Tablet"
    if system in _MOBILE_SYSTEMS or "Smartphone" in device or device == "iPhone":
        return "Mobile"
    if system in _DESKTOP_SYSTEMS:
        return "Desktop"
    return OTHER
