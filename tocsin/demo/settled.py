"""What the company's analysts have set up and settled: whom they know, what they need not see, what they asked again.

Documents as the API takes them.
"""

from typing import Any

from tocsin.demo.cast import MONITOR, TESTERS

DAY = 86_400_000

TABLE = "announced_scanners"
COLUMNS = ("address", "company", "contact", "purpose")
_ROWS = (
    (TESTERS, "Brightwater", "grace.okoro@larkspur.example", "test of the shop"),
    ("192.0.2.201", "Brightwater", "grace.okoro@larkspur.example", "test of the shop (spare)"),
    ("198.51.100.210", "Pinglight", "mira.holt@larkspur.example", "uptime of the shop"),
    ("10.20.0.50", "Larkspur", "dan.weaver@larkspur.example", "our own scan each month"),
)


def table_content() -> bytes:
    """The rows of the table as CSV."""
    return "\n".join(",".join(row) for row in (COLUMNS, *_ROWS)).encode()


def table(upload_id: str) -> dict[str, Any]:
    """The table of what an upload brought."""
    return {
        "table_name": TABLE,
        "description": "Who may scan our shop, and whom to ask about it",
        "source": "LOCAL_FILE",
        "schema": {"fields": [{"name": name, "type": "STRING"} for name in COLUMNS], "primary_keys": ["address"]},
        "tags": ["team:security"],
        "file_metadata": {"upload_id": upload_id},
    }


def pipeline() -> dict[str, Any]:
    """Says in each request's log who announced it."""
    return {
        "name": "Announced scanners",
        "is_enabled": True,
        "filter": {"query": "source:(nginx OR apache)"},
        "processors": [
            {
                "type": "lookup-processor",
                "name": "Who announced a scan from this address",
                "is_enabled": True,
                "source": "network.client.ip",
                "target": "scanner",
                "lookup_enrichment_table": TABLE,
            }
        ],
    }


def rule() -> dict[str, Any]:
    """The company's own rule, which asks the table."""
    return {
        "name": "Shop scanned from an address that nobody announced",
        "type": "log_detection",
        "isEnabled": True,
        "message": "## Goal\nNotice a scan of the shop that is none of our testers'.\n\n"
        "## Strategy\nCounts the distinct missing or forbidden paths that one address asks for within ten minutes. "
        f"Addresses of the reference table `{TABLE}` are left out.\n\n"
        "## Triage and response\n1. Ask the team of the shop whether somebody forgot to announce a scan.\n"
        "2. Look for answers with status 200 to {{@network.client.ip}}, then block it.",
        "tags": ["source:nginx", "team:security", "security:attack", "tactic:TA0043-reconnaissance"],
        "queries": [
            {
                "name": "paths",
                "query": "source:(nginx OR apache) @http.status_code:(403 OR 404)",
                "aggregation": "cardinality",
                "distinctFields": ["@http.url_details.path"],
                "groupByFields": ["@network.client.ip"],
            }
        ],
        "cases": [{"name": "", "status": "high", "condition": "paths > 40"}],
        "options": {"evaluationWindow": 600, "keepAlive": 3600, "maxSignalDuration": 86400},
        "referenceTables": [
            {
                "tableName": TABLE,
                "columnName": "address",
                "logFieldPath": "network.client.ip",
                "ruleQueryName": "paths",
                "checkPresence": False,
            }
        ],
    }


def suppressions(now: int) -> tuple[tuple[dict[str, Any], dict[str, Any]], ...]:
    """Each suppression as it was made, and what was changed about it afterwards, if anything."""
    return (
        (
            {
                "name": "Brightwater tests the shop",
                "description": "Announced by Grace Okoro. The contract ends in six weeks; their address is "
                f"in the reference table {TABLE}.",
                "enabled": True,
                "rule_query": "source:nginx",
                "suppression_query": f"@network.client.ip:{TESTERS}",
                "expiration_date": now + 14 * DAY,
                "tags": ["team:security", "ticket:SEC-214"],
            },
            {"expiration_date": now + 42 * DAY, "tags": ["team:security", "ticket:SEC-214", "ticket:SEC-231"]},
        ),
        (
            {
                "name": "Monitoring has a stale password on the bastion",
                "description": "Known to the platform team. Only while nobody gets in: a high signal is shown.",
                "enabled": True,
                "rule_query": "source:sshd",
                "suppression_query": f"@network.client.ip:{MONITOR} status:(low OR medium)",
                "tags": ["team:platform", "ticket:OPS-87"],
            },
            {},
        ),
        (
            {
                "name": "Updates of the till software",
                "description": "The tills ask for their vendor's updates day and night. Rules need not count that.",
                "enabled": True,
                "rule_query": "source:dns",
                "suppression_query": "",
                "data_exclusion_query": "@dns.question.name:updates.vendor.example",
                "expiration_date": now + 90 * DAY,
                "tags": ["team:platform"],
            },
            {},
        ),
    )


JOB = "Accounts that were guessed on the bastion"


def job(start: int, end: int) -> dict[str, Any]:
    """A question that somebody asked of the week afterwards: which accounts, where live rules count by address."""
    return {
        "name": JOB,
        "message": "Passwords of {{@usr.name}} were tried.",
        "from": start,
        "to": end,
        "index": "main",
        "queries": [
            {
                "name": "failed",
                "query": "source:sshd @evt.name:authentication @evt.outcome:failure",
                "groupByFields": ["@usr.name"],
            }
        ],
        "cases": [{"status": "medium", "condition": "failed > 12"}, {"status": "low", "condition": "failed > 5"}],
        "options": {"evaluationWindow": 1800, "keepAlive": 3600, "maxSignalDuration": 86400},
        "tags": ["source:sshd", "team:security"],
    }
