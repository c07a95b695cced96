"""A whole server in this process: a rule for new values that knows the stored logs as soon as it is made."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_server import client_for, config_in, serve
from waiting import until

from tocsin.api.app import create_app
from tocsin.bootstrap import build
from tocsin.workers.threads import Workers

pytestmark = pytest.mark.system

RULES = "/api/v2/security_monitoring/rules"

RULE: dict[str, Any] = {
    "type": "log_detection",
    "name": "New country",
    "isEnabled": True,
    "message": "{{@new_value.values}}",
    "queries": [
        {"query": "source:vpn", "aggregation": "new_value", "groupByFields": ["@usr.id"], "metrics": ["@country"]}
    ],
    "cases": [{"status": "medium"}],
    "options": {
        "detectionMethod": "new_value",
        "keepAlive": 0,
        "maxSignalDuration": 0,
        "newValueOptions": {"learningDuration": 1, "forgetAfter": 7, "instantaneousBaseline": True},
    },
}


def logs(*countries: str, days_ago: float = 0, tags: str = "") -> list[dict[str, Any]]:
    at = int((time.time() - days_ago * 86400) * 1000)
    return [
        {
            "ddsource": "vpn",
            "ddtags": tags,
            "message": "in",
            "timestamp": at + i,
            "usr": {"id": "bob"},
            "country": country,
        }
        for i, country in enumerate(countries)
    ]


def titles(http: httpx.Client) -> list[str]:
    body = {"filter": {"query": "*", "from": "now-1h", "to": "now+1h"}}
    found = http.post("/api/v2/security_monitoring/signals/search", json=body).json()["data"]
    return sorted(signal["attributes"]["message"] for signal in found)


def test_rule_that_is_made_today_knows_what_was_usual(tmp_path: Path) -> None:
    services = build(replace(config_in(tmp_path), intake_workers=-1))
    services.access.bootstrap()
    with serve(create_app(services)) as url, client_for(url) as http:
        workers = Workers(services, url)
        workers.start()
        try:
            known = logs("DE", "FR", days_ago=3, tags="backfill:true")
            assert http.post("/api/v2/logs", json=known).status_code == 202
            made = http.post(RULES, json=RULE)
            assert made.is_success, made.text
            changed = http.put(f"{RULES}/{made.json()['id']}", json={"message": "seen in {{@new_value.values}}"})
            assert changed.is_success, changed.text
            assert http.post("/api/v2/logs", json=logs("DE", "US", "FR", "US")).status_code == 202
            until(lambda: titles(http), lambda found: found == ["seen in US"])
        finally:
            workers.stop()
