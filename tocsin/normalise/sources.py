"""Which source a record is of, when nobody says: by the members that only it has, or by the shape of its line."""

import re

from tocsin.normalise.paths import Attributes
from tocsin.normalise.windows import is_windows

CLOUDTRAIL = "cloudtrail"
GITHUB = "github"
KUBERNETES = "kubernetes"
OKTA = "okta"
SSHD = "sshd"
WINDOWS = "windows"

_GITHUB_SIGNS = (
    "_document_id",
    "at_sign_timestamp",
    "operation_type",
    "actor_ip",
    "business",
    "org",
    "repo",
    "actor_id",
    "created_at",
)
# Some collectors fold the names to lower case.
_OKTA_SIGNS = ("outcome", "published", "displayMessage", "displaymessage", "legacyEventType", "debugContext")
_AUTH_PROGRAMS = (
    "sshd(?:-session|-auth)?|sudo|su|CRON|cron|crond|systemd|systemd-logind|useradd|userdel|usermod|groupadd|groupdel|"
    "groupmod|chpasswd|passwd|chage|chsh|chfn|gpasswd|login|polkitd|pkexec|doas|dropbear|newgrp|runuser"
)
_AUTH_LINE = re.compile(
    r"(?:<\d{1,3}>)?(?:\d )?(?:[A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)"
    rf"\s+\S+\s+(?:{_AUTH_PROGRAMS})(?:\[\d+\])?:\s"
)
_SSHD_TEXT = re.compile(
    r"(?:Accepted|Failed) (?:password|publickey|none|keyboard-interactive\S*|hostbased|gssapi\S*) for |Invalid user |"
    r"pam_unix\((?:sshd|sudo|su|cron|login|systemd-user)[:\w-]*\): |Connection (?:closed|reset) by \S+ port \d+|"
    r"Disconnected from (?:invalid |authenticating )?(?:user \S+ )?\S+ port \d+|Received disconnect from \S+ port \d+"
)
_ACCESS_LINE = re.compile(
    r'(?P<client>\S+) \S+ (?:\S+|".*?") \[\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "[^"]*'
)
_ACCESS_SOURCE = "nginx"
"""Both servers write the same lines, and rules look at both sources."""


def source_of(attributes: Attributes, message: str) -> str | None:
    """The source of a record, or None if it shows none."""
    if attributes:
        found = _of_members(attributes)
        if found is not None:
            return found
    if message:
        start = message[:512]
        if _AUTH_LINE.match(start) or _SSHD_TEXT.match(start):
            return SSHD
        if _ACCESS_LINE.match(message[:4096]):
            return _ACCESS_SOURCE
    return None


def _of_members(attributes: Attributes) -> str | None:
    if "eventSource" in attributes and "eventVersion" in attributes:
        return CLOUDTRAIL
    if is_windows(attributes):
        return WINDOWS
    is_okta = "actor" in attributes and ("eventType" in attributes or "eventtype" in attributes)
    if is_okta and any(sign in attributes for sign in _OKTA_SIGNS):
        return OKTA
    version = attributes.get("apiVersion")
    if isinstance(version, str) and version.startswith("audit.k8s.io/"):
        return KUBERNETES
    if (
        attributes.get("kind") == "Event"
        and "verb" in attributes
        and ("auditID" in attributes or "objectRef" in attributes)
    ):
        return KUBERNETES
    action = attributes.get("action")
    is_github = isinstance(action, str) and "." in action and "actor" in attributes
    return GITHUB if is_github and any(sign in attributes for sign in _GITHUB_SIGNS) else None
