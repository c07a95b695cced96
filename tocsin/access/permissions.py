"""The catalogue of permissions and the roles that are shipped (siem.md §11.1-11.2).

A permission is data: adding a line here makes it known to roles, application keys and routes, and gives it to Admin.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.errors import BadRequest

_NAMESPACE = uuid.UUID("6f0cf0de-6f9e-5b0a-9d3a-0b6d2b0f4c11")
"""Ids of permissions are derived from their names, so that they are the same everywhere and for ever."""

CATALOGUE_SINCE = 1_767_225_600_000
"""What the API gives as the creation of all permissions: 2026-01-01."""


@dataclass(frozen=True, slots=True)
class Permission:
    """`kind` is read, write or other. A restricted permission belongs to every role and cannot be taken away."""

    name: str
    display_name: str
    kind: str
    group: str
    description: str
    is_restricted: bool = False

    @property
    def id(self) -> str:
        return str(uuid.uuid5(_NAMESPACE, self.name))


def _pair(group: str, stem: str, display: str, what: str) -> Iterable[Permission]:
    yield Permission(f"{stem}_read", f"{display} Read", "read", group, f"View {what}.")
    yield Permission(f"{stem}_write", f"{display} Write", "write", group, f"Create, change and delete {what}.")


def _one(group: str, name: str, display: str, kind: str, description: str, *, restricted: bool = False) -> Permission:
    return Permission(name, display, kind, group, description, restricted)


def _catalogue() -> Iterable[Permission]:
    group = "Cloud Security Platform"
    yield from _pair(group, "security_monitoring_rules", "Security Rules", "detection rules")
    yield _one(group, "security_monitoring_signals_read", "Security Signals Read", "read", "View security signals.")
    yield _one(
        group,
        "security_monitoring_signals_write",
        "Security Signals Write",
        "write",
        "Triage security signals: change their state and assignee.",
    )
    yield from _pair(group, "security_monitoring_filters", "Security Filters", "security filters")
    yield from _pair(
        group, "security_monitoring_notification_profiles", "Security Notification Rules", "notification rules"
    )
    yield from _pair(group, "security_monitoring_suppressions", "Security Suppressions", "suppressions")
    yield from _pair(group, "security_monitoring_critical_assets", "Critical Assets", "critical assets")
    yield from _pair(group, "security_monitoring_findings", "Security Findings", "findings, and mute them")
    yield from _pair(group, "security_monitoring_datasets", "Security Datasets", "datasets of SQL rules")
    yield from _pair(group, "security_monitoring_cws_agent_rules", "Workload Protection Agent Rules", "agent rules")
    yield _one(
        group,
        "security_monitoring_cws_agent_rules_actions",
        "Workload Protection Agent Actions",
        "write",
        "Let agent rules act on workloads.",
    )
    yield from _pair(group, "security_pipelines", "Security Pipelines", "security pipelines")
    yield from _pair(group, "security_comments", "Security Comments", "comments on security findings and signals")
    yield _one(group, "siem_entities_read", "Entities Read", "read", "View entities and their risk.")
    yield _one(
        group, "bits_security_analyst_write", "Security Analyst Write", "write", "Start automatic investigations."
    )
    yield _one(
        group,
        "bits_security_analyst_config_write",
        "Security Analyst Configuration Write",
        "write",
        "Configure automatic investigations.",
    )

    group = "Application Security"
    yield from _pair(group, "appsec_event_rule", "Application Security Event Rules", "event rules")
    yield from _pair(group, "appsec_protect", "Application Security Protect", "protection and blocked attackers")
    yield from _pair(group, "appsec_activation", "Application Security Activation", "activation on services")
    yield _one(group, "appsec_vm_read", "Vulnerabilities Read", "read", "View vulnerabilities.", restricted=True)
    yield _one(group, "appsec_vm_write", "Vulnerabilities Write", "write", "Change the state of vulnerabilities.")
    yield _one(group, "apm_read", "Traces Read", "read", "View services and traces.", restricted=True)

    group = "Log Management"
    yield _one(group, "logs_read_data", "Logs Read Data", "read", "Read logs, together with Logs Read Index Data.")
    yield _one(group, "logs_read_index_data", "Logs Read Index Data", "read", "Read logs of indexes.")
    yield _one(group, "logs_live_tail", "Logs Live Tail", "read", "Follow logs as they arrive.")
    yield _one(group, "logs_read_config", "Logs Read Configuration", "read", "View the configuration of logs.")
    yield _one(
        group, "logs_modify_indexes", "Logs Modify Indexes", "write", "Change indexes, retention and rejected logs."
    )
    yield _one(
        group, "logs_write_exclusion_filters", "Logs Write Exclusion Filters", "write", "Change exclusion filters."
    )
    yield _one(group, "logs_write_pipelines", "Logs Write Pipelines", "write", "Change pipelines.")
    yield _one(group, "logs_write_processors", "Logs Write Processors", "write", "Change processors of pipelines.")
    yield _one(group, "logs_write_facets", "Logs Write Facets", "write", "Create and change facets of logs.")

    group = "Shared"
    yield _one(group, "facets_write", "Facets Write", "write", "Create and change facets other than those of logs.")
    yield _one(group, "saved_views_write", "Saved Views Write", "write", "Create, change and delete saved views.")
    yield from _pair(group, "reference_tables", "Reference Tables", "reference tables")
    yield _one(group, "integrations_read", "Integrations Read", "read", "View integrations.")
    yield _one(group, "manage_integrations", "Integrations Manage", "write", "Install and configure integrations.")
    yield _one(group, "create_webhooks", "Webhooks Write", "write", "Create and change webhooks.")

    group = "Case and Incident Management"
    yield from _pair(group, "cases", "Cases", "cases")
    yield _one(
        group, "cases_shared_settings_write", "Cases Shared Settings Write", "write", "Change settings of all cases."
    )
    yield _one(group, "incident_read", "Incidents Read", "read", "View incidents.", restricted=True)
    yield _one(group, "incident_write", "Incidents Write", "write", "Declare and change incidents.")
    yield from _pair(group, "incident_settings", "Incident Settings", "settings of incidents")
    yield from _pair(
        group, "incident_notification_settings", "Incident Notification Settings", "notification settings of incidents"
    )

    group = "Workflow Automation"
    yield from _pair(group, "workflows", "Workflows", "workflows")
    yield _one(group, "workflows_run", "Workflows Run", "write", "Run workflows.")
    yield from _pair(group, "connections", "Connections", "connections")
    yield _one(group, "connections_resolve", "Connections Resolve", "write", "Use connections in workflows.")

    group = "Compliance"
    yield _one(group, "audit_logs_read", "Audit Trail Read", "read", "View the audit trail.")
    yield _one(group, "audit_logs_write", "Audit Trail Write", "write", "Configure the audit trail.")

    group = "Access Management"
    yield _one(
        group, "user_access_read", "User Access Read", "read", "View users, roles, permissions.", restricted=True
    )
    yield _one(group, "user_access_invite", "User Access Invite", "write", "Invite users.")
    yield _one(group, "user_access_manage", "User Access Manage", "write", "Change and disable users, manage roles.")
    yield _one(group, "teams_read", "Teams Read", "read", "View teams.", restricted=True)
    yield _one(group, "teams_manage", "Teams Manage", "write", "Manage teams.")
    yield _one(group, "service_account_write", "Service Account Write", "write", "Manage service accounts.")
    yield _one(group, "org_management", "Organization Management", "other", "Change settings of the organisation.")

    group = "API and Application Keys"
    yield _one(group, "user_app_keys", "User Application Keys", "write", "Manage one's own application keys.")
    yield _one(group, "org_app_keys_read", "Organization Application Keys Read", "read", "View all application keys.")
    yield _one(
        group, "org_app_keys_write", "Organization Application Keys Write", "write", "Manage all application keys."
    )
    yield _one(group, "api_keys_read", "API Keys Read", "read", "View API keys; their values are never shown again.")
    yield _one(group, "api_keys_write", "API Keys Write", "write", "Create and rename API keys.")
    yield _one(group, "api_keys_delete", "API Keys Delete", "write", "Revoke API keys.")


PERMISSIONS: dict[str, Permission] = {permission.name: permission for permission in _catalogue()}
"""By name, in the order in which they are listed."""

BY_ID: dict[str, Permission] = {permission.id: permission for permission in PERMISSIONS.values()}

RESTRICTED = frozenset(name for name, permission in PERMISSIONS.items() if permission.is_restricted)

_ADMIN_READS = {"audit_logs_read", "api_keys_read", "org_app_keys_read"}
_READS = frozenset(name for name, p in PERMISSIONS.items() if p.kind == "read") - _ADMIN_READS

_STANDARD = _READS | {
    "org_app_keys_read",
    "security_monitoring_signals_write",
    "security_monitoring_suppressions_write",
    "security_comments_write",
    "cases_write",
    "incident_write",
    "saved_views_write",
    "facets_write",
    "logs_write_facets",
    "workflows_run",
    "user_app_keys",
}

_ANALYST = _STANDARD | {"security_monitoring_notification_profiles_write", "bits_security_analyst_write"}

_ENGINEER = _ANALYST | {
    "security_monitoring_rules_write",
    "security_monitoring_filters_write",
    "security_monitoring_critical_assets_write",
    "security_monitoring_datasets_write",
    "security_pipelines_write",
    "logs_write_pipelines",
    "logs_write_processors",
    "logs_modify_indexes",
    "reference_tables_write",
    "workflows_write",
}

ADMIN = "admin"
STANDARD = "standard"

BUILTIN_ROLES: dict[str, tuple[str, frozenset[str]]] = {
    ADMIN: ("Admin", frozenset(PERMISSIONS)),
    STANDARD: ("Standard", frozenset(_STANDARD)),
    "read_only": ("Read Only", frozenset(_READS)),
    "security_analyst": ("Security Analyst", frozenset(_ANALYST)),
    "detection_engineer": ("Detection Engineer", frozenset(_ENGINEER)),
}
"""Shipped roles by their lasting key: shown name and permissions. Brought up to date at every start."""


def check_known(names: Iterable[str]) -> frozenset[str]:
    """The names as a set. Raises `BadRequest` for one that is no permission."""
    given = frozenset(names)
    if unknown := sorted(given - PERMISSIONS.keys()):
        raise BadRequest(f"unknown permission '{unknown[0]}'; GET /api/v2/permissions lists them")
    return given
