"""Rules for benchmarks: those that are shipped, and as many like them as wanted."""

import random
from dataclasses import replace
from pathlib import Path

from tocsin.rule import Rule, RuleCase, RuleQuery
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped

CONTENT = Path(__file__).resolve().parents[1] / "content"

SERVICES = (
    "iam",
    "s3",
    "ec2",
    "kms",
    "lambda",
    "rds",
    "sts",
    "eks",
    "cloudtrail",
    "guardduty",
    "secretsmanager",
    "ssm",
)
VERBS = (
    "Create",
    "Delete",
    "Put",
    "Update",
    "Attach",
    "Detach",
    "Modify",
    "Disable",
    "Get",
    "List",
    "Describe",
    "Stop",
)
NOUNS = (
    "User",
    "Role",
    "Policy",
    "Key",
    "Bucket",
    "Snapshot",
    "Instance",
    "Trail",
    "Detector",
    "Secret",
    "Function",
    "Group",
)
TOOLS = ("mimikatz", "psexec", "rubeus", "procdump", "certutil", "bitsadmin", "wmic", "mshta", "regsvr32", "rundll32")
PROBES = (
    "/.env",
    "/.git/",
    "/wp-login",
    "/phpmyadmin",
    "/actuator",
    "/cgi-bin/",
    "/etc/passwd",
    "union%20select",
    "\\<script",
)
USERS = ("root", "admin", "oracle", "postgres", "test", "deploy", "backup", "jenkins", "git", "ubuntu")


def shipped_rules() -> list[Rule]:
    """Those that look at events as they come; others run on a schedule, over what is stored."""
    shipped = (
        replace(rule_from_api(each.body), id=each.id, is_enabled=True) for each in read_shipped(CONTENT / "rules")
    )
    return [rule for rule in shipped if rule.schedule is None]


def rules(count: int, seed: int = 1) -> list[Rule]:
    """The shipped rules and generated ones, `count` in all."""
    rng = random.Random(seed)
    found = shipped_rules()[:count]
    while len(found) < count:
        found.append(_generated(rng, len(found)))
    return found


def _generated(rng: random.Random, number: int) -> Rule:
    address = f"{rng.randrange(1, 223)}.{rng.randrange(256)}.{rng.randrange(256)}.0/{rng.choice((16, 20, 24))}"
    word = f"{rng.choice(TOOLS)}{number}"
    verb = rng.choice(VERBS)
    name = f"{verb}{rng.choice(NOUNS)}"
    query = rng.choice(
        [
            f"source:cloudtrail @evt.name:{name}{number}",
            f"source:cloudtrail @evt.name:({name} OR {rng.choice(VERBS)}{number}) @evt.outcome:failure",
            f"source:cloudtrail @eventSource:{rng.choice(SERVICES)}.amazonaws.com @evt.name:{verb}*{number}",
            f"source:windows @process.command_line:*{word}*",
            f"source:windows @evt.id:{rng.choice((4624, 4625, 4688, 1, 3, 11))} @usr.name:{rng.choice(USERS)}{number}",
            f"source:windows @Image:*\\\\{word}.exe -@usr.name:(SYSTEM OR svc_{number})",
            f"source:(nginx OR apache) @http.url_details.path:*{rng.choice(PROBES)}{number}*",
            f"source:nginx @http.status_code:>={rng.choice((400, 404, 500))} @http.url:*{word}*",
            f"source:sshd @evt.outcome:failure @usr.name:{rng.choice(USERS)}{number}",
            f'source:sshd "Failed password for {rng.choice(USERS)}{number}"',
            f"source:okta @evt.outcome:FAILURE CIDR(@network.client.ip, {address})",
            f"@network.client.ip:{address} -@usr.id:{rng.choice(USERS)}",
            f"source:kubernetes.audit @verb:{rng.choice(('create', 'delete', 'patch'))} @objectRef.name:{word}",
            f"source:github @action:{rng.choice(('repo', 'org', 'team'))}.{word} env:prod",
            f"@network.bytes_written:>{rng.randrange(10**6, 10**9)} team:{word}",
        ]
    )
    rule_query = RuleQuery("a", query, group_by_fields=(rng.choice(("@usr.id", "@network.client.ip", "host")),))
    return Rule(f"gen-{number:04d}", f"Generated {number}", "", (rule_query,), (RuleCase("low", "a > 5"),))
