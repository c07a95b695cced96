"""Records as the real sources write them. Each function returns one `Record`, ready for the intake."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tocsin.demo.cast import ACCOUNT, COMPANY, DOMAIN, Person

Body = dict[str, Any] | str

CORPORATE = ("okta", "windows", "gsuite", "cisco-asa")
"""Sources that the corporate team looks after."""


@dataclass(frozen=True, slots=True)
class Record:
    """One log as it leaves its source. `at` is Unix milliseconds; the body carries the same time in its own format."""

    at: int
    source: str
    service: str
    host: str
    body: Body
    env: str = "prod"

    def payload(self, mark: str = "demo:true") -> dict[str, Any]:
        """The record in the shape of the log intake; `mark` is the tag that tells it from a real one."""
        envelope: dict[str, Any] = {
            "ddsource": self.source,
            "service": self.service,
            "hostname": self.host,
            "ddtags": f"env:{self.env},team:{'corp' if self.source in CORPORATE else 'platform'},{mark}",
        }
        if isinstance(self.body, str):
            return {**envelope, "message": self.body, "timestamp": self.at}
        return {**self.body, **envelope}


def _iso(at: int, *, millis: bool = False) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{at % 1000:03d}Z" if millis else "Z")


def _hex(*parts: object, length: int = 12) -> str:
    """A stable identifier of a record, from what makes it unique."""
    return hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=20).hexdigest()[:length]


def _uuid(*parts: object) -> str:
    h = _hex(*parts, length=32)
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


def cloudtrail(
    at: int,
    user: str,
    event_source: str,
    event_name: str,
    address: str,
    *,
    request: dict[str, Any] | None = None,
    response: dict[str, Any] | None = None,
    error: str | None = None,
    role: str | None = None,
    root: bool = False,
    mfa: bool = True,
    region: str = "eu-west-1",
    agent: str = "aws-cli/2.31.4 md/Botocore#1.40.4 ua/2.1 os/linux lang/python#3.13.7",
    extra: dict[str, Any] | None = None,
) -> Record:
    """An AWS CloudTrail record of one API call."""
    if root:
        identity: dict[str, Any] = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root"}
    elif role:
        identity = {
            "type": "AssumedRole",
            "principalId": f"AROA{_hex(role, length=16).upper()}:{user}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{user}",
            "accessKeyId": f"ASIA{_hex(user, role, length=16).upper()}",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "userName": role},
                "attributes": {"mfaAuthenticated": "true" if mfa else "false"},
            },
        }
    else:
        identity = {
            "type": "IAMUser",
            "principalId": f"AIDA{_hex(user, length=16).upper()}",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}",
            "accessKeyId": f"AKIA{_hex(user, 'key', length=16).upper()}",
            "userName": user,
        }
    identity["accountId"] = ACCOUNT
    body: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": _iso(at),
        "eventSource": event_source,
        "eventName": event_name,
        "awsRegion": region,
        "sourceIPAddress": address,
        "userAgent": agent,
        "requestParameters": request,
        "responseElements": response,
        "requestID": _uuid("request", at, user, event_name, request),
        "eventID": _uuid("event", at, user, event_name, request),
        "readOnly": event_name.startswith(("Get", "List", "Describe", "Lookup", "Head")),
        "eventType": "AwsConsoleSignIn" if event_name == "ConsoleLogin" else "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    if error:
        body["errorCode"] = error
        body["errorMessage"] = f"User: {identity['arn']} is not authorized to perform: {event_name}"
    return Record(at, "cloudtrail", "aws", f"cloudtrail-{region}", body | (extra or {}))


def sshd(at: int, host: str, text: str, pid: int, *, program: str = "sshd", env: str = "prod") -> Record:
    """A line of auth.log, as rsyslog writes it."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    stamp = f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"
    return Record(at, "sshd", "ssh", host, f"{stamp} {host} {program}[{pid}]: {text}", env)


def access(
    at: int,
    host: str,
    address: str,
    request: str,
    status: int,
    size: int,
    *,
    referer: str = "-",
    agent: str,
    user: str = "-",
) -> Record:
    """A line of an nginx access log in the combined format."""
    stamp = datetime.fromtimestamp(at / 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    line = f'{address} - {user} [{stamp}] "{request}" {status} {size} "{referer}" "{agent}"'
    return Record(at, "nginx", "storefront", host, line)


def windows(
    at: int, computer: str, channel: str, provider: str, event_id: int, data: dict[str, Any], *, level: int = 4
) -> Record:
    """A Windows event, as the usual EVTX tools render it in JSON."""
    fqdn = f"{computer}.{DOMAIN}"
    body = {
        "Event": {
            "System": {
                "Provider": {"#attributes": {"Name": provider}},
                "EventID": event_id,
                "Version": 0,
                "Level": level,
                "Keywords": "0x8020000000000000",
                "TimeCreated": {"#attributes": {"SystemTime": _iso(at, millis=True)}},
                "EventRecordID": int(_hex(at, computer, event_id, data, length=8), 16),
                "Channel": channel,
                "Computer": fqdn,
            },
            "EventData": data,
        }
    }
    return Record(at, "windows", "windows", computer, body)


def security(at: int, computer: str, event_id: int, data: dict[str, Any]) -> Record:
    return windows(at, computer, "Security", "Microsoft-Windows-Security-Auditing", event_id, data, level=0)


def sysmon(at: int, computer: str, event_id: int, data: dict[str, Any]) -> Record:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    stamp = {"UtcTime": f"{moment:%Y-%m-%d %H:%M:%S}.{at % 1000:03d}"}
    return windows(
        at, computer, "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", event_id, stamp | data
    )


def okta(
    at: int,
    person: Person,
    event_type: str,
    display: str,
    address: str,
    *,
    result: str = "SUCCESS",
    reason: str | None = None,
    severity: str = "INFO",
    city: str | None = None,
    country: str | None = None,
    agent: str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    target: list[dict[str, Any]] | None = None,
    debug: dict[str, Any] | None = None,
) -> Record:
    """An event of the Okta system log."""
    body = {
        "uuid": _uuid("okta", at, person.login, event_type, address),
        "published": _iso(at, millis=True),
        "eventType": event_type,
        "version": "0",
        "severity": severity,
        "displayMessage": display,
        "actor": {
            "id": person.okta_id,
            "type": "User",
            "alternateId": person.email,
            "displayName": person.name,
        },
        "client": {
            "ipAddress": address,
            "device": "Computer",
            "zone": "null",
            "userAgent": {"rawUserAgent": agent, "os": "Mac OS X", "browser": "CHROME"},
            "geographicalContext": {"city": city or person.city, "country": country or person.country},
        },
        "outcome": {"result": result, "reason": reason},
        "target": target or [],
        "transaction": {"type": "WEB", "id": _hex("transaction", at, person.login, length=24)},
        "authenticationContext": {"externalSessionId": "trs" + _hex(person.login, at // 3_600_000, length=20)},
        "debugContext": {"debugData": {"requestUri": "/api/v1/authn", **(debug or {})}},
    }
    return Record(at, "okta", "okta", COMPANY, body)


def github(
    at: int, actor: str, action: str, address: str, *, repo: str | None = None, extra: dict[str, Any] | None = None
) -> Record:
    """An entry of a GitHub organisation's audit log."""
    body: dict[str, Any] = {
        "@timestamp": at,
        "_document_id": _hex("github", at, actor, action, repo, length=22),
        "action": action,
        "actor": actor.replace(".", "-"),
        "actor_ip": address,
        "actor_is_bot": False,
        "business": COMPANY,
        "created_at": at,
        "operation_type": action.rpartition(".")[2],
        "org": COMPANY,
        "org_id": 48120077,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    }
    if repo:
        body |= {"repo": f"{COMPANY}/{repo}", "visibility": "private"}
    return Record(at, "github", "github", "github.com", body | (extra or {}))


def kubernetes(
    at: int,
    user: str,
    verb: str,
    resource: str,
    address: str,
    *,
    namespace: str = "shop",
    name: str = "",
    subresource: str = "",
    code: int = 200,
    groups: tuple[str, ...] = ("system:authenticated",),
    request: dict[str, Any] | None = None,
) -> Record:
    """An event of the Kubernetes API server's audit log (audit.k8s.io/v1)."""
    path = f"/api/v1/namespaces/{namespace}/{resource}" + (f"/{name}" if name else "")
    reference: dict[str, Any] = {"resource": resource, "namespace": namespace, "apiVersion": "v1"}
    if name:
        reference["name"] = name
    if subresource:
        reference["subresource"] = subresource
        path += f"/{subresource}"
    body: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Request" if request else "Metadata",
        "auditID": _uuid("k8s", at, user, verb, resource, name),
        "stage": "ResponseComplete",
        "requestURI": path,
        "verb": verb,
        "user": {"username": user, "groups": list(groups)},
        "sourceIPs": [address],
        "userAgent": "kubectl/v1.34.1 (linux/amd64) kubernetes/93248f9",
        "objectRef": reference,
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": _iso(at, millis=True),
        "stageTimestamp": _iso(at, millis=True),
        "annotations": {"authorization.k8s.io/decision": "allow" if code < 400 else "forbid"},
    }
    if request:
        body["requestObject"] = request
    return Record(at, "kubernetes", "kube-apiserver", "larkspur-prod", body)


def workspace(
    at: int,
    email: str,
    application: str,
    kind: str,
    name: str,
    address: str,
    parameters: dict[str, Any] | None = None,
) -> Record:
    """An activity of Google Workspace, as the Reports API gives it."""
    typed = []
    for key, value in (parameters or {}).items():
        member = "boolValue" if isinstance(value, bool) else "multiValue" if isinstance(value, list) else "value"
        typed.append({"name": key, member: value})
    body = {
        "kind": "admin#reports#activity",
        "id": {
            "time": _iso(at, millis=True),
            "uniqueQualifier": str(int(_hex(at, email, name, parameters, length=14), 16)),
            "applicationName": application,
            "customerId": "C03larks1",
        },
        "actor": {"callerType": "USER", "email": email, "profileId": str(int(_hex(email, length=14), 16))},
        "ipAddress": address,
        "events": [{"type": kind, "name": name, "parameters": typed}],
    }
    return Record(at, "gsuite", application, "workspace.google.com", body)


def anyconnect(at: int, host: str, number: int, text: str) -> Record:
    """A line of a Cisco ASA that people connect to."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    stamp = f"{moment:%b} {moment.day:2d} {moment:%Y %H:%M:%S}"
    return Record(at, "cisco-asa", "vpn", host, f"<166>{stamp} {host} : %ASA-6-{number}: {text}")


def name_query(at: int, host: str, client: str, name: str, kind: str = "A") -> Record:
    """A line of BIND's query log."""
    stamp = datetime.fromtimestamp(at / 1000, UTC).strftime(f"%d-%b-%Y %H:%M:%S.{at % 1000:03d}")
    port = 1024 + int(_hex(at, client, name, length=4), 16) % 60_000
    who = f"client @0x7f8e{_hex(client, length=8)} {client}#{port} ({name})"
    return Record(at, "bind", "dns", host, f"{stamp} queries: info: {who}: query: {name} IN {kind} +E(0)K (10.20.0.2)")
