"""Sigma's log sources: which of our events a rule is about, and where our normaliser puts its fields (docs/sources.md).

A log source is data: the search that its events meet, and the places of its fields. A field may have several places; a
clause on it holds if it holds at one of them. What is not listed here is logged by nothing that Tocsin reads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.query.parser import parse_field
from tocsin.query.printer import print_field
from tocsin.query.tree import Field, FieldKind

Places = Callable[[str], tuple[Field, ...]]


@dataclass(frozen=True, slots=True)
class LogSource:
    """`query` finds its events, `places` its fields; `group_by` is what a signal of it is about.

    `is_dash_absent`: Windows writes `-` where there is no value, and our normaliser drops that.
    """

    query: str
    places: Places
    source: str
    group_by: tuple[str, ...] = ()
    is_dash_absent: bool = False


def _attributes(*paths: str) -> tuple[Field, ...]:
    return tuple(Field(FieldKind.ATTRIBUTE, path) for path in paths)


def _fields(*written: str) -> tuple[Field, ...]:
    """Fields as they are written in a search."""
    return tuple(parse_field(each) for each in written)


# -- Windows ----------------------------------------------------------------------------------------------------------

_SYSTEM: Mapping[str, tuple[str, ...]] = {
    "EventID": ("@winlog.event_id",),
    "Channel": ("@winlog.channel",),
    "Provider_Name": ("@winlog.provider_name",),
    "Source": ("@winlog.provider_name",),
    "Computer": ("@winlog.computer_name",),
    "ComputerName": ("@winlog.computer_name",),
    "Level": ("@winlog.level",),
    "Keywords": ("@winlog.keywords",),
    "Task": ("@winlog.task",),
    "Opcode": ("@winlog.opcode",),
    "Version": ("@winlog.version",),
    "Message": ("message",),
    "EventType": ("@winlog.event_data.EventType", "@winlog.event_type"),
}
"""Members of the `System` part, for every Windows log source. A record without parts may have one of its data where
the System part has a member of that name (`EventType` of Sysmon's registry events)."""

_UNNAMED = 10
"""Data without a name are `param1`, `param2`, …; so many of them are asked."""

DEFENDER = {
    "ThreatName": "Threat Name",
    "Signature": "Threat Name",
    "Filename": "Path",
    "ProcessName": "Process Name",
    "NewValue": "New Value",
    "OldValue": "Old Value",
    "SourceName": "Source Name",
    "Feature_Name": "Feature Name",
}
"""Defender's data have names with blanks, which Sigma writes without."""


@dataclass(frozen=True, slots=True)
class _Windows:
    """Places of a Windows log source: `event_data`, for some also `user_data`; `own` are its exceptions."""

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    has_user_data: bool = False

    def __call__(self, name: str) -> tuple[Field, ...]:
        if name in self.own:
            return _fields(*self.own[name])
        if name in _SYSTEM:
            return _fields(*_SYSTEM[name])
        if name == "Data":
            unnamed = [f"winlog.event_data.param{number}" for number in range(1, _UNNAMED + 1)]
            return (*_attributes("winlog.event_data.Data", *unnamed), *_fields("message"))
        names = [self.renamed[name], name] if name in self.renamed else [name]
        paths = [f"winlog.event_data.{each}" for each in names]
        if self.has_user_data:
            paths += [f"winlog.user_data.{each}" for each in names]
        return _attributes(*paths)


_PROCESS = _Windows(
    own={
        "Image": ("@process.executable.path",),
        "CommandLine": ("@process.command_line",),
        "ParentImage": ("@process.parent.executable.path",),
    }
)
"""Sysmon and the security log name these differently; our normaliser does not."""

SYSMON = "Microsoft-Windows-Sysmon/Operational"

SYSMON_CATEGORIES: Mapping[str, str] = {
    "file_change": "2",
    "network_connection": "3",
    "sysmon_status": "4 OR 16",
    "process_termination": "5",
    "driver_load": "6",
    "image_load": "7",
    "create_remote_thread": "8",
    "raw_access_thread": "9",
    "process_access": "10",
    "file_event": "11",
    "registry_add": "12",
    "registry_delete": "12",
    "registry_set": "13",
    "registry_rename": "14",
    "registry_event": "12 OR 13 OR 14",
    "create_stream_hash": "15",
    "pipe_created": "17 OR 18",
    "wmi_event": "19 OR 20 OR 21",
    "dns_query": "22",
    "file_delete": "23 OR 26",
    "clipboard_capture": "24",
    "process_tampering": "25",
    "file_block": "27 OR 28",
    "file_executable_detected": "29",
    "sysmon_error": "255",
}
"""Sigma's category -> Sysmon's event ids."""

POWERSHELL_CATEGORIES: Mapping[str, tuple[str, str]] = {
    "ps_module": ("Microsoft-Windows-PowerShell/Operational", "4103"),
    "ps_script": ("Microsoft-Windows-PowerShell/Operational", "4104"),
    "ps_classic_start": ("Windows PowerShell", "400"),
    "ps_classic_provider_start": ("Windows PowerShell", "600"),
    "ps_classic_script": ("Windows PowerShell", "800"),
}

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "application": ("Application",),
    "applocker": (
        "Microsoft-Windows-AppLocker/EXE and DLL",
        "Microsoft-Windows-AppLocker/MSI and Script",
        "Microsoft-Windows-AppLocker/Packaged app-Deployment",
        "Microsoft-Windows-AppLocker/Packaged app-Execution",
    ),
    "appmodel-runtime": ("Microsoft-Windows-AppModel-Runtime/Admin",),
    "appxdeployment-server": ("Microsoft-Windows-AppXDeploymentServer/Operational",),
    "appxpackaging-om": ("Microsoft-Windows-AppxPackaging/Operational",),
    "bits-client": ("Microsoft-Windows-Bits-Client/Operational",),
    "capi2": ("Microsoft-Windows-CAPI2/Operational",),
    "certificateservicesclient-lifecycle-system": (
        "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational",
    ),
    "codeintegrity-operational": ("Microsoft-Windows-CodeIntegrity/Operational",),
    "dhcp": ("Microsoft-Windows-DHCP-Server/Operational",),
    "diagnosis-scripted": ("Microsoft-Windows-Diagnosis-Scripted/Operational",),
    "dns-client": ("Microsoft-Windows-DNS Client Events/Operational",),
    "dns-server": ("DNS Server",),
    "dns-server-analytic": ("Microsoft-Windows-DNS-Server/Analytical",),
    "dns-server-audit": ("Microsoft-Windows-DNS-Server/Audit",),
    "driver-framework": ("Microsoft-Windows-DriverFrameworks-UserMode/Operational",),
    "firewall-as": ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",),
    "iis-configuration": ("Microsoft-IIS-Configuration/Operational",),
    "ldap": ("Microsoft-Windows-LDAP-Client/Debug",),
    "lsa-server": ("Microsoft-Windows-LSA/Operational",),
    "microsoft-servicebus-client": ("Microsoft-ServiceBus-Client",),
    "msexchange-management": ("MSExchange Management",),
    "ntlm": ("Microsoft-Windows-NTLM/Operational",),
    "openssh": ("OpenSSH/Operational",),
    "powershell": ("Microsoft-Windows-PowerShell/Operational", "PowerShellCore/Operational"),
    "powershell-classic": ("Windows PowerShell",),
    "printservice-admin": ("Microsoft-Windows-PrintService/Admin",),
    "printservice-operational": ("Microsoft-Windows-PrintService/Operational",),
    "security": ("Security",),
    "security-mitigations": (
        "Microsoft-Windows-Security-Mitigations/KernelMode",
        "Microsoft-Windows-Security-Mitigations/UserMode",
    ),
    "shell-core": ("Microsoft-Windows-Shell-Core/Operational",),
    "smbclient-connectivity": ("Microsoft-Windows-SmbClient/Connectivity",),
    "smbclient-security": ("Microsoft-Windows-SmbClient/Security",),
    "smbserver-connectivity": ("Microsoft-Windows-SMBServer/Connectivity",),
    "sysmon": (SYSMON,),
    "system": ("System",),
    "taskscheduler": ("Microsoft-Windows-TaskScheduler/Operational",),
    "terminalservices-localsessionmanager": ("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",),
    "vhdmp": ("Microsoft-Windows-VHDMP/Operational",),
    "windefend": ("Microsoft-Windows-Windows Defender/Operational",),
    "wmi": ("Microsoft-Windows-WMI-Activity/Operational",),
}
"""Sigma's service -> channels."""

_ONLY_EVENT_DATA = frozenset(
    ("application", "powershell", "powershell-classic", "sysmon", "taskscheduler", "windefend", "firewall-as", "ldap")
)
"""Channels that never have a `UserData` part; a second place for each field would only cost time."""

MALWARE_IDS = "1006 OR 1015 OR 1116 OR 1117"


def _channel(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return f"@winlog.channel:{quoted[0] if len(quoted) == 1 else '(' + ' OR '.join(quoted) + ')'}"


def _windows(query: str, places: _Windows) -> LogSource:
    found = f"source:windows {query}".strip()
    return LogSource(found, places, "windows", ("host",), is_dash_absent=True)


def _windows_source(category: str, service: str) -> LogSource | None:
    if category == "process_creation":
        sysmon = f"({_channel([SYSMON])} @winlog.event_id:1)"
        return _windows(f"({sysmon} OR ({_channel(['Security'])} @winlog.event_id:4688))", _PROCESS)
    if category in SYSMON_CATEGORIES:
        return _windows(f"{_channel([SYSMON])} @winlog.event_id:({SYSMON_CATEGORIES[category]})", _Windows())
    if category in POWERSHELL_CATEGORIES:
        channel, event_id = POWERSHELL_CATEGORIES[category]
        return _windows(f"{_channel([channel])} @winlog.event_id:{event_id}", _Windows())
    if category:
        return None
    if service in CHANNELS:
        renamed = DEFENDER if service == "windefend" else {}
        places = _Windows(renamed=renamed, has_user_data=service not in _ONLY_EVENT_DATA)
        return _windows(_channel(CHANNELS[service]), places)
    return None if service else _windows("", _Windows(has_user_data=True))


# -- Linux ------------------------------------------------------------------------------------------------------------

_LINUX_SYSMON_CATEGORIES: Mapping[str, str] = {
    "process_creation": "1",
    "network_connection": "3",
    "process_termination": "5",
    "file_event": "11",
    "file_delete": "23",
}
"""Sysmon for Linux writes Windows events; its provider tells them from others."""

_SYSLOG = "source:(sshd OR auth OR syslog OR linux)"


def _linux_source(category: str, service: str) -> LogSource | None:
    if category:
        if category not in _LINUX_SYSMON_CATEGORIES:
            return None
        event_id = _LINUX_SYSMON_CATEGORIES[category]
        return _windows(f"@winlog.provider_name:Linux-Sysmon @winlog.event_id:{event_id}", _Windows())
    if service == "auditd":
        return LogSource("source:auditd", _Verbatim(), "auditd", ("host",))
    own = {"USER": ("@usr.target.name",)} if service == "sudo" else {}
    if service in ("", "syslog", "auth", "sshd", "sudo", "cron"):
        return LogSource(_SYSLOG, _Verbatim(own), "linux", ("host",))
    if service in ("clamav", "guacamole", "vsftpd"):
        return LogSource(f"source:({service} OR syslog OR linux)", _Verbatim(own), service, ("host",))
    return None


# -- records that keep the names of their vendor ---------------------------------------------------------------------

_RESERVED = frozenset(("status", "host", "service", "message", "timestamp", "trace_id"))
"""Members that the intake makes reserved attributes of, where their value allows it."""


@dataclass(frozen=True, slots=True)
class _Verbatim:
    """Fields under the vendor's own names, which our normaliser keeps; `own` are exceptions, `dropped` a prefix."""

    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: str = ""

    def __call__(self, name: str) -> tuple[Field, ...]:
        if name in self.own:
            return _fields(*self.own[name])
        if name in _RESERVED:
            return (*_attributes(name), *_fields(name))
        short = name.removeprefix(self.dropped)
        return _attributes(name) if short == name else _attributes(short, name)


_WEB: Mapping[str, tuple[str, ...]] = {
    "c-uri": ("@http.url",),
    "cs-uri": ("@http.url",),
    "cs-uri-query": ("@http.url",),
    "c-uri-query": ("@http.url",),
    "cs-uri-stem": ("@http.url_details.path",),
    "cs-method": ("@http.method",),
    "sc-status": ("@http.status_code",),
    "cs-user-agent": ("@http.useragent",),
    "c-useragent": ("@http.useragent",),
    "cs-referer": ("@http.referer",),
    "cs-host": ("@http.url_details.host", "@http.host"),
    "cs-username": ("@usr.name",),
    "c-ip": ("@network.client.ip",),
    "dst_ip": ("@network.destination.ip",),
}
"""Sigma asks `cs-uri-query` for paths as well, so it is the URL as it was written."""

# What hosts tell of their own connections Sigma has other log sources for.
_CONNECTION: Mapping[str, tuple[str, ...]] = {
    "src_ip": ("@network.client.ip",),
    "src_port": ("@network.client.port",),
    "dst_ip": ("@network.destination.ip",),
    "dst_port": ("@network.destination.port",),
    "destination.port": ("@network.destination.port",),
}

_DNS: Mapping[str, tuple[str, ...]] = {
    "query": ("@dns.question.name",),
    "record_type": ("@dns.question.type", "@record_type", "@qtype_name"),
    "answer": ("@dns.answer.name", "@answer", "@answers"),
}

_KUBERNETES: Mapping[str, tuple[str, ...]] = {
    "apiGroup": ("@objectRef.apiGroup",),
    "hostPath": ("@requestObject.spec.volumes.hostPath",),
    "capabilities": ("@requestObject.spec.containers.securityContext.capabilities.add",),
}

_GCP: Mapping[str, tuple[str, ...]] = {
    "gcp.audit.method_name": ("@protoPayload.methodName", "@data.protoPayload.methodName"),
    "eventService": ("@protoPayload.serviceName", "@eventService"),
    "eventName": ("@protoPayload.metadata.event.eventName", "@eventName"),
}

_ZEEK_HTTP: Mapping[str, tuple[str, ...]] = {"c-uri": ("@uri",), "c-useragent": ("@user_agent",)}


def _zeek(log: str) -> LogSource:
    own = _ZEEK_HTTP if log == "http" else {}
    return LogSource(f"source:zeek (@_path:{log} OR -@_path:*)", _Verbatim(own), "zeek", ("@id.orig_h",))


_DATABASES = "source:(mysql OR postgresql OR sqlserver OR oracle OR mariadb OR sql)"

_OTHERS: Mapping[tuple[str, str, str], LogSource] = {
    ("aws", "", "cloudtrail"): LogSource("source:cloudtrail", _Verbatim(), "cloudtrail", ("@userIdentity.arn",)),
    ("okta", "", "okta"): LogSource("source:okta", _Verbatim(), "okta", ("@actor.alternateId",)),
    ("github", "", "audit"): LogSource("source:github", _Verbatim(), "github", ("@actor",)),
    ("kubernetes", "", "audit"): LogSource("source:kubernetes", _Verbatim(_KUBERNETES), "kubernetes", ("@usr.id",)),
    ("azure", "", ""): LogSource("source:azure*", _Verbatim(), "azure", ("@usr.id",)),
    ("gcp", "", ""): LogSource(
        "source:(gcp* OR google_workspace OR gsuite)", _Verbatim(_GCP, "data."), "gcp", ("@usr.id",)
    ),
    ("m365", "", ""): LogSource(
        "source:(microsoft-365 OR m365 OR office365)", _Verbatim(), "microsoft-365", ("@usr.id",)
    ),
    ("onelogin", "", ""): LogSource("source:onelogin*", _Verbatim(), "onelogin", ("@usr.id",)),
    ("bitbucket", "", ""): LogSource("source:bitbucket*", _Verbatim(), "bitbucket", ("@usr.id",)),
    ("cisco", "", "duo"): LogSource("source:(duo OR cisco-duo)", _Verbatim(), "duo", ("@usr.name",)),
    ("cisco", "", ""): LogSource("source:cisco*", _Verbatim(), "cisco", ("host",)),
    ("huawei", "", ""): LogSource("source:huawei*", _Verbatim(), "huawei", ("host",)),
    ("juniper", "", ""): LogSource("source:juniper*", _Verbatim(), "juniper", ("host",)),
    ("paloalto", "", ""): LogSource("source:(paloalto* OR pan*)", _Verbatim(), "paloalto", ("host",)),
    ("fortigate", "", ""): LogSource("source:(fortigate* OR fortinet*)", _Verbatim(), "fortigate", ("host",)),
    ("fortios", "", ""): LogSource("source:(fortigate* OR fortinet* OR fortios)", _Verbatim(), "fortios", ("host",)),
    ("opencanary", "application", ""): LogSource("source:opencanary", _Verbatim(), "opencanary", ("host",)),
    ("jvm", "application", ""): LogSource("source:(java OR jvm)", _Verbatim(), "java", ("service",)),
    ("spring", "application", ""): LogSource("source:(java OR spring)", _Verbatim(), "java", ("service",)),
    ("velocity", "application", ""): LogSource("source:(java OR velocity)", _Verbatim(), "java", ("service",)),
    ("python", "application", ""): LogSource("source:python", _Verbatim(), "python", ("service",)),
    ("django", "application", ""): LogSource("source:(python OR django)", _Verbatim(), "python", ("service",)),
    ("nodejs", "application", ""): LogSource("source:(nodejs OR node)", _Verbatim(), "nodejs", ("service",)),
    ("ruby_on_rails", "application", ""): LogSource("source:(ruby OR rails)", _Verbatim(), "ruby", ("service",)),
    ("sql", "application", ""): LogSource(_DATABASES, _Verbatim(), "sql", ("service",)),
    ("", "database", ""): LogSource(_DATABASES, _Verbatim(), "sql", ("service",)),
    ("", "webserver", ""): LogSource("source:(nginx OR apache)", _Verbatim(_WEB), "web", ("@network.client.ip",)),
    ("", "", "apache"): LogSource("source:(nginx OR apache)", _Verbatim(_WEB), "apache", ("host",)),
    ("", "", "nginx"): LogSource("source:(nginx OR apache)", _Verbatim(_WEB), "nginx", ("host",)),
    ("", "proxy", ""): LogSource(
        "source:(proxy OR squid OR zscaler OR bluecoat)", _Verbatim(_WEB), "proxy", ("@network.client.ip",)
    ),
    ("", "dns", ""): LogSource("@dns.question.name:*", _Verbatim(_DNS), "dns", ("@network.client.ip",)),
    ("", "firewall", ""): LogSource(
        "@network.destination.ip:* -source:windows", _Verbatim(_CONNECTION), "firewall", ("@network.client.ip",)
    ),
    ("", "", "netflow"): LogSource(
        "@network.destination.port:* -source:windows", _Verbatim(_CONNECTION), "netflow", ("@network.client.ip",)
    ),
    ("", "antivirus", ""): _windows(
        f"{_channel(CHANNELS['windefend'])} @winlog.event_id:({MALWARE_IDS})", _Windows(renamed=DEFENDER)
    ),
}
"""(product, category, service) -> the log source; a product with neither stands for all that have no entry."""


def log_source(product: str | None, category: str | None, service: str | None) -> LogSource | None:
    """The log source that Sigma names, or None if nothing that Tocsin reads logs it."""
    key = ((product or "").lower(), (category or "").lower(), (service or "").lower())
    product, category, service = key
    if product == "windows":
        return _windows_source(category, service)
    if product == "linux":
        return _linux_source(category, service)
    if product == "zeek":
        return _zeek(service) if service else None
    if product == "kubernetes":
        return _OTHERS["kubernetes", "", "audit"] if service in ("", "audit") else None
    return _OTHERS.get(key) or (_OTHERS.get((product, "", "")) if product else None)


def written(fields: Sequence[Field]) -> str:
    """The first place as a search writes it, for groups."""
    return print_field(fields[0])
