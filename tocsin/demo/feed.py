"""What the company's hunters know about the intruders of the story: a small feed, as anybody may write one."""

from tocsin.demo.cast import (
    ATTACKER_CLOUD,
    ATTACKER_IDENTITY,
    ATTACKER_SSH,
    ATTACKER_WEB,
    C2_ADDRESS,
    C2_DOMAIN,
    EXFIL_DOMAIN,
    TOOL_HASH,
)

NAME = "Larkspur's own hunters"

_SOURCE = '"{""name"": ""Larkspur hunters"", ""url"": ""https://hunters.larkspur.example""}"'

_ROWS = (
    ("ip_address", C2_ADDRESS, "c2", "malicious", '"{""campaign"": ""Lantern""}"'),
    ("domain", C2_DOMAIN, "c2", "malicious", '"{""campaign"": ""Lantern""}"'),
    ("domain", EXFIL_DOMAIN, "c2", "malicious", '"{""campaign"": ""Quill""}"'),
    ("sha256", TOOL_HASH, "malware", "malicious", '"{""family"": ""Lantern loader""}"'),
    ("ip_address", ATTACKER_SSH, "bruteforcer", "malicious", ""),
    ("ip_address", ATTACKER_WEB, "scanner", "suspicious", ""),
    ("ip_address", ATTACKER_IDENTITY, "residential_proxy", "suspicious", ""),
    ("ip_address", ATTACKER_CLOUD, "tor", "suspicious", '"{""role"": ""exit""}"'),
    ("user_agent", "sqlmap/1.9", "attack", "malicious", ""),
)


def content() -> bytes:
    """The feed as CSV (siem.md §6.2)."""
    lines = ["type,indicator,category,intention,source,additional_data"]
    lines += [
        f"{kind},{value},{category},{intention},{_SOURCE},{data}" for kind, value, category, intention, data in _ROWS
    ]
    return "\n".join(lines).encode()


def settings() -> dict[str, object]:
    """The feed's attributes, as the API takes them."""
    return {"name": NAME, "format": "csv", "location": {"type": "upload"}}
