"""Which source a record is of, when nobody says: by the members that only it has, or by the shape of its line."""

import re

from tocsin.normalise.paths import Attributes
from tocsin.normalise.windows import is_windows

AZURE = "azure"
BIND = "bind"
CISCO_ASA = "cisco-asa"
CLOUDTRAIL = "cloudtrail"
DNSMASQ = "dnsmasq"
ENTRA = "azure.activedirectory"
GCP = "gcp"
GITHUB = "github"
GOOGLE_WORKSPACE = "gsuite"
KUBERNETES = "kubernetes"
OKTA = "okta"
ONE_PASSWORD = "1password"  # noqa: S105  a source
OPENVPN = "openvpn"
PALO_ALTO = "paloalto"
ROUTE53 = "route53"
SLACK = "slack"
SSHD = "sshd"
UMBRELLA = "cisco-umbrella"
UNBOUND = "unbound"
WINDOWS = "windows"
WIREGUARD = "wireguard"
ZOOM = "zoom"

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
_SYSLOG = (
    r"(?:<\d{1,3}>)?(?:\d )?(?:[A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)"
    r"\s+\S+\s+"
)
_AUTH_LINE = re.compile(rf"{_SYSLOG}(?:{_AUTH_PROGRAMS})(?:\[\d+\])?:\s")
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
_PROGRAMS = re.compile(rf"{_SYSLOG}(?P<program>named|dnsmasq|unbound|openvpn)(?:\[\d+\])?: ")
_PROGRAM_SOURCES = {"named": BIND, "dnsmasq": DNSMASQ, "unbound": UNBOUND, "openvpn": OPENVPN}
_BIND_CLIENT = re.compile(
    r"client (?:@0x[0-9a-f]+ )?[0-9a-fA-F.:]+#\d+(?: \([^)]*\))?: (?:view \S+ )?"
    r"(?:query|response|rpz|zone transfer|transfer of|updat)"
)
_OPENVPN_TEXT = re.compile(
    r"\d{1,5} \[[^\]\s]+\] Peer Connection Initiated with \[AF_INET6?\]|"
    r"\d{1,5} TLS(?: Auth)?(?: Error)?: |MULTI_sva: pool returned"
)
_GLOBALPROTECT = re.compile(r"\d+,[^,]*,[^,]*,GLOBALPROTECT,")


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
        return _of_network_text(start)
    return None


def _of_network_text(start: str) -> str | None:
    """Lines of name servers and VPN gateways, by their program or by words that only they have."""
    if found := _PROGRAMS.match(start):
        return _PROGRAM_SOURCES[found["program"]]
    if "%ASA-" in start:
        return CISCO_ASA
    if "GLOBALPROTECT" in start and _GLOBALPROTECT.search(start):
        return PALO_ALTO
    if "client " in start and _BIND_CLIENT.search(start):
        return BIND
    if "wireguard: " in start:
        return WIREGUARD
    return OPENVPN if _OPENVPN_TEXT.search(start) else None


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
    if is_github and any(sign in attributes for sign in _GITHUB_SIGNS):
        return GITHUB
    return _of_cloud(attributes) or _of_service(attributes)


def _of_cloud(attributes: Attributes) -> str | None:
    """Audit logs of cloud platforms and their directories."""
    if attributes.get("kind") == "admin#reports#activity" or _has_application(attributes):
        return GOOGLE_WORKSPACE
    data = attributes.get("data")
    if "protoPayload" in attributes or (isinstance(data, dict) and "protoPayload" in data):
        return GCP
    if "notificationConfigName" in attributes and "finding" in attributes:
        return GCP
    resource = attributes.get("resourceId") or attributes.get("resourceid")
    if isinstance(resource, str):
        path = resource.casefold()
        if "/providers/microsoft.aadiam" in path:
            return ENTRA
        if path.startswith(("/subscriptions/", "/providers/microsoft.")):
            return AZURE
    operation = attributes.get("operationName")
    if isinstance(operation, str) and "category" in attributes:
        is_of_storage = attributes["category"] in ("StorageRead", "StorageWrite", "StorageDelete")
        if is_of_storage or operation.casefold().startswith("microsoft."):
            return AZURE
    is_graph = "userPrincipalName" in attributes and "appDisplayName" in attributes
    is_graph_audit = "activityDisplayName" in attributes and "initiatedBy" in attributes
    return ENTRA if is_graph or is_graph_audit else None


def _has_application(attributes: Attributes) -> bool:
    """Whether it is an activity of Google Workspace whose exporter left `kind` away."""
    activity = attributes.get("id")
    has_event = "events" in attributes or ("name" in attributes and "type" in attributes)
    return isinstance(activity, dict) and "applicationName" in activity and has_event


def _of_service(attributes: Attributes) -> str | None:
    """Audit logs of services, and resolvers that write JSON."""
    if "query_name" in attributes and "query_type" in attributes and "vpc_id" in attributes:
        return ROUTE53
    if "internalIp" in attributes and "domain" in attributes:
        return UMBRELLA
    if (
        "action" in attributes
        and isinstance(attributes.get("actor"), dict)
        and isinstance(attributes.get("context"), dict)
    ):
        return SLACK if "entity" in attributes or "ip_address" in attributes["context"] else None
    is_usage = "item_uuid" in attributes and "vault_uuid" in attributes
    is_attempt = "target_user" in attributes and "session_uuid" in attributes
    if is_usage or is_attempt or ("actor_uuid" in attributes and "object_type" in attributes):
        return ONE_PASSWORD
    return ZOOM if "operation_detail" in attributes and "operator" in attributes else None
