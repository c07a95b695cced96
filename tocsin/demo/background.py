"""What happens on any day: people work, visitors shop, machines run their jobs. Nothing in here should raise an alarm
of consequence.

A background event is drawn for one moment; how many there are at an hour is the story's business.
"""

import random
from collections.abc import Callable, Sequence

from tocsin.demo import formats
from tocsin.demo.cast import (
    BASTION,
    BUCKETS,
    COMPANY,
    DOMAIN,
    ENGINEERS,
    LINUX_HOSTS,
    NAME_SERVER,
    PEOPLE,
    REPOS,
    VISITORS,
    VPN_GATEWAY,
    WEB_HOSTS,
    WORKSTATIONS,
)
from tocsin.demo.formats import Record

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
PAGES = (
    "/",
    "/lamps",
    "/lamps/desk-lamp-oak",
    "/lamps/floor-lamp-brass",
    "/chairs",
    "/chairs/reading-chair",
    "/search?q=oak",
    "/cart",
    "/checkout",
    "/account",
    "/static/app.js",
    "/static/app.css",
    "/images/hero.webp",
    "/about",
)
READ_CALLS = (
    ("ec2.amazonaws.com", "DescribeInstances"),
    ("s3.amazonaws.com", "ListBuckets"),
    ("s3.amazonaws.com", "GetBucketLocation"),
    ("rds.amazonaws.com", "DescribeDBInstances"),
    ("cloudwatch.amazonaws.com", "GetMetricData"),
    ("logs.amazonaws.com", "DescribeLogGroups"),
    ("sts.amazonaws.com", "GetCallerIdentity"),
    ("ecr.amazonaws.com", "DescribeRepositories"),
    ("eks.amazonaws.com", "DescribeCluster"),
)
SERVICE_CALLS = (
    ("kms.amazonaws.com", "Decrypt", "payments-service"),
    ("secretsmanager.amazonaws.com", "GetSecretValue", "payments-service"),
    ("sqs.amazonaws.com", "ReceiveMessage", "order-worker"),
    ("autoscaling.amazonaws.com", "DescribeAutoScalingGroups", "cluster-autoscaler"),
    ("ecr.amazonaws.com", "BatchGetImage", "node-role"),
)
APPS = ("Slack", "Google Workspace", "Zendesk", "Figma", "Salesforce", "Amazon Web Services")
PROGRAMS = (
    (r"C:\Program Files\Google\Chrome\Application\chrome.exe", "chrome.exe --type=renderer"),
    (r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE", "OUTLOOK.EXE"),
    (r"C:\Windows\System32\svchost.exe", "svchost.exe -k netsvcs -p"),
    (r"C:\Windows\System32\notepad.exe", "notepad.exe notes.txt"),
    (r"C:\Program Files\Zoom\bin\Zoom.exe", "Zoom.exe"),
    (r"C:\Windows\System32\taskhostw.exe", "taskhostw.exe"),
)


def web_visit(at: int, rng: random.Random) -> Record:
    page = rng.choice(PAGES)
    status = rng.choices((200, 304, 302, 404, 500), (88, 6, 3, 2.7, 0.3))[0]
    method = "POST" if page in ("/cart", "/checkout") and rng.random() < 0.4 else "GET"
    referer = "-" if rng.random() < 0.4 else f"https://www.{DOMAIN}{rng.choice(PAGES[:6])}"
    visitor = rng.choice(VISITORS)
    return formats.access(
        at,
        rng.choice(WEB_HOSTS),
        visitor,
        f"{method} {page} HTTP/1.1",
        status,
        rng.randrange(300, 48_000),
        referer=referer,
        # a visitor keeps their browser
        agent=BROWSERS[hash_of(visitor) % len(BROWSERS)],
    )


def service_call(at: int, rng: random.Random) -> Record:
    source, name, role = rng.choice(SERVICE_CALLS)
    return formats.cloudtrail(
        at, f"i-0{hash_of(role):09x}", source, name, f"10.20.{rng.randrange(4)}.{rng.randrange(10, 60)}", role=role
    )


def cloud_call(at: int, rng: random.Random) -> Record:
    if rng.random() < 0.55:
        return service_call(at, rng)
    person = rng.choice(ENGINEERS)
    source, name = rng.choice(READ_CALLS)
    if rng.random() < 0.08:
        bucket = rng.choice(BUCKETS[:2])
        return formats.cloudtrail(
            at,
            person.login,
            "s3.amazonaws.com",
            "GetObject",
            person.home,
            role="Engineer",
            request={"bucketName": bucket, "key": f"exports/{rng.randrange(1000)}.csv"},
        )
    error = "AccessDenied" if rng.random() < 0.01 else None
    return formats.cloudtrail(at, person.login, source, name, person.home, role="Engineer", error=error)


def console_login(at: int, rng: random.Random) -> Record:
    person = rng.choice(ENGINEERS)
    return formats.cloudtrail(
        at,
        person.login,
        "signin.amazonaws.com",
        "ConsoleLogin",
        person.home,
        role="Engineer",
        response={"ConsoleLogin": "Success"},
        region="us-east-1",
        agent=BROWSERS[hash_of(person.login) % 2],
        extra={"additionalEventData": {"MFAUsed": "Yes", "MobileVersion": "No"}},
    )


def okta_session(at: int, rng: random.Random) -> Record:
    person = rng.choice(PEOPLE)
    roll = rng.random()
    if roll < 0.72:
        app = rng.choice(APPS)
        return formats.okta(
            at,
            person,
            "user.authentication.sso",
            "User single sign on to app",
            person.home,
            target=[{"type": "AppInstance", "displayName": app, "alternateId": app}],
        )
    if roll < 0.9:
        return formats.okta(at, person, "user.session.start", "User login to Okta", person.home)
    if roll < 0.96:
        return formats.okta(
            at, person, "user.authentication.auth_via_mfa", "Authentication of user via MFA", person.home
        )
    return formats.okta(
        at,
        person,
        "user.session.start",
        "User login to Okta",
        person.home,
        result="FAILURE",
        reason="INVALID_CREDENTIALS",
        severity="WARN",
    )


def repository_work(at: int, rng: random.Random) -> Record:
    person = rng.choice(ENGINEERS)
    repo = rng.choice(REPOS)
    action = rng.choices(
        ("git.fetch", "git.push", "pull_request.create", "pull_request.merge", "workflows.completed_workflow_run"),
        (50, 22, 10, 8, 10),
    )[0]
    return formats.github(at, person.login, action, person.home, repo=repo)


def shell_session(at: int, rng: random.Random) -> Record:
    host = rng.choice(LINUX_HOSTS)
    pid = rng.randrange(900, 32_000)
    roll = rng.random()
    if roll < 0.45:
        return formats.sshd(
            at, host, "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", pid, program="CRON"
        )
    person = rng.choice(ENGINEERS[:4])
    login = person.login.split(".")[0]
    if roll < 0.75:
        return formats.sshd(
            at,
            BASTION,
            f"Accepted publickey for {login} from {person.home} port {rng.randrange(30000, 60000)} ssh2: "
            f"ED25519 SHA256:{hash_of(login):016x}",
            pid,
        )
    if roll < 0.9:
        return formats.sshd(at, BASTION, f"pam_unix(sshd:session): session closed for user {login}", pid)
    command = rng.choice(("systemctl status nginx", "journalctl -u storefront -n 100", "apt-get update"))
    return formats.sshd(
        at,
        host,
        f"{login} : TTY=pts/0 ; PWD=/home/{login} ; USER=root ; COMMAND=/usr/bin/{command}",
        pid,
        program="sudo",
    )


def desktop(at: int, rng: random.Random) -> Record:
    index = rng.randrange(len(PEOPLE))
    person, computer = PEOPLE[index], WORKSTATIONS[index]
    login = person.login.split(".")[0]
    roll = rng.random()
    if roll < 0.5:
        image, command = rng.choice(PROGRAMS)
        return formats.sysmon(
            at,
            computer,
            1,
            {
                "ProcessId": rng.randrange(800, 20_000),
                "Image": image,
                "CommandLine": command,
                "User": f"LARKSPUR\\{login}",
                "ParentImage": r"C:\Windows\explorer.exe",
                "ParentCommandLine": r"C:\Windows\explorer.exe",
                "IntegrityLevel": "Medium",
            },
        )
    if roll < 0.8:
        return formats.security(
            at,
            computer,
            4624,
            {
                "TargetUserName": login,
                "TargetDomainName": "LARKSPUR",
                "LogonType": "2",
                "IpAddress": "-",
                "WorkstationName": computer,
                "ProcessName": r"C:\Windows\System32\svchost.exe",
            },
        )
    if roll < 0.97:
        return formats.security(
            at, computer, 4634, {"TargetUserName": login, "TargetDomainName": "LARKSPUR", "LogonType": "2"}
        )
    return formats.security(
        at,
        computer,
        4625,
        {
            "TargetUserName": login,
            "TargetDomainName": "LARKSPUR",
            "LogonType": "2",
            "IpAddress": "127.0.0.1",
            "Status": "0xc000006d",
            "SubStatus": "0xc000006a",
            "WorkstationName": computer,
        },
    )


def cluster_call(at: int, rng: random.Random) -> Record:
    verb, resource = rng.choice((("get", "pods"), ("list", "pods"), ("watch", "deployments"), ("get", "services")))
    if rng.random() < 0.8:
        return formats.kubernetes(
            at,
            "system:serviceaccount:kube-system:deployment-controller",
            verb,
            resource,
            "10.20.0.4",
            groups=("system:serviceaccounts",),
        )
    person = rng.choice(ENGINEERS[:3])
    return formats.kubernetes(at, person.email, verb, resource, person.home)


DOCUMENTS = ("Plan for spring", "Prices", "Minutes", "Holiday list", "Guide for new colleagues", "Suppliers")
NAMES = (
    "www.larkspur.example",
    "api.larkspur.example",
    "mail.larkspur.example",
    "registry.npmjs.example",
    "updates.vendor.example",
    "calendar.partner.example",
)


def office_work(at: int, rng: random.Random) -> Record:
    person = rng.choice(PEOPLE)
    roll = rng.random()
    if roll < 0.2:
        parameters: dict[str, object] = {"login_type": "saml", "is_suspicious": False}
        return formats.workspace(at, person.email, "login", "login", "login_success", person.home, parameters)
    title = rng.choice(DOCUMENTS)
    parameters = {"doc_id": f"1{hash_of(title):09x}", "doc_title": title, "visibility": "shared_internally"}
    name = "view" if roll < 0.75 else "edit" if roll < 0.97 else "download"
    return formats.workspace(at, person.email, "drive", "access", name, person.home, parameters)


def remote_session(at: int, rng: random.Random) -> Record:
    person = rng.choice(PEOPLE)
    if rng.random() < 0.05:
        text = "AAA user authentication Rejected : reason = AAA failure : server = 10.20.0.8"
        return formats.anyconnect(at, VPN_GATEWAY, 113005, f"{text} : user = {person.login} : user IP = {person.home}")
    text = f"Group <Staff> User <{person.login}> IP <{person.home}> AnyConnect parent session started."
    return formats.anyconnect(at, VPN_GATEWAY, 113039, text)


def name_question(at: int, rng: random.Random) -> Record:
    client = f"10.30.{rng.randrange(2)}.{rng.randrange(10, 80)}"
    return formats.name_query(at, NAME_SERVER, client, rng.choice(NAMES), rng.choice(("A", "A", "AAAA")))


SOURCES: tuple[tuple[int, Callable[[int, random.Random], Record]], ...] = (
    (38, web_visit),
    (16, cloud_call),
    (1, console_login),
    (7, okta_session),
    (6, repository_work),
    (8, shell_session),
    (12, desktop),
    (4, cluster_call),
    (4, office_work),
    (1, remote_session),
    (3, name_question),
)
"""Each kind of background event with its share in percent."""


CROWD = ((70, web_visit), (18, service_call), (12, name_question))
"""Visitors and machines, of whom no rule learns how much is usual."""


def draw(at: int, rng: random.Random) -> Record:
    """One background event of the moment `at`."""
    return _one_of(SOURCES, at, rng)


def draw_of_crowd(at: int, rng: random.Random) -> Record:
    """One event of the moment `at` of which there may be any number."""
    return _one_of(CROWD, at, rng)


def _one_of(kinds: Sequence[tuple[int, Callable[[int, random.Random], Record]]], at: int, rng: random.Random) -> Record:
    weights = [share for share, _ in kinds]
    return rng.choices(kinds, weights)[0][1](at, rng)


def hash_of(text: str) -> int:
    """A small stable number for a text (Python's own hash changes with each process)."""
    value = len(COMPANY)
    for character in text:
        value = (value * 31 + ord(character)) & 0x7FFFFFFF
    return value
