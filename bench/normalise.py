"""Normalise and enrich: microseconds of one core per event and source, against reading the same lines as JSON.

The records are the demo's, so that the benchmark needs nothing beside the checkout; each is seen once, with the
addresses and agents repeating as they do in logs.
"""

import gc
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from bench.table import Row
from tocsin.bootstrap import content_directory
from tocsin.demo import formats
from tocsin.demo.cast import PEOPLE
from tocsin.enrich import Enricher, Places, parse_url, parse_user_agent
from tocsin.event import RawRecord
from tocsin.normalise import Lookups, Normaliser

EVENTS = 10_000
START = 1_772_800_000_000
TARGETS = {"json": 40.0, "text": 60.0}
"""Microseconds: intake must reach 10,000 events a second, with matching and the insert beside it."""

AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "curl/8.14.1",
)

Make = Callable[[int], formats.Record]


def address(n: int) -> str:
    """One of 400, some far more often than others."""
    n = n * n % 997 % 400
    return f"{n % 60 + 20}.{n % 7}.{n % 251}.{n % 13 + 1}"


def cloudtrail(n: int) -> formats.Record:
    name = ("ListBuckets", "GetObject", "AssumeRole", "DescribeInstances", "CreateUser")[n % 5]
    request = {
        "bucketName": f"bucket-{n % 50}",
        "key": f"reports/2026/{n}.csv",
        "filterSet": {"items": [{"name": "x"}]},
    }
    return formats.cloudtrail(START + n * 10, f"user{n % 40}", "s3.amazonaws.com", name, address(n), request=request)


def sshd(n: int) -> formats.Record:
    text = (
        f"Failed password for invalid user u{n % 300} from {address(n)} port {n % 60000 + 1024} ssh2",
        f"Connection closed by {address(n)} port {n % 60000 + 1024} [preauth]",
        f"pam_unix(sshd:session): session opened for user u{n % 30}(uid=1000) by (uid=0)",
        f"Accepted publickey for u{n % 30} from {address(n)} port {n % 60000 + 1024} ssh2: ED25519 SHA256:abc{n % 30}",
    )[n % 4]
    return formats.sshd(START + n * 10, f"host-{n % 20}", text, n % 30000)


def access(n: int) -> formats.Record:
    request = f"GET /shop/item/{n % 5000}?ref={n} HTTP/1.1"
    return formats.access(
        START + n * 10, "web-1", address(n), request, 200 if n % 9 else 404, n % 9000, agent=AGENTS[n % 3]
    )


def windows(n: int) -> formats.Record:
    data = {
        "ProcessGuid": f"{{{n:032x}}}",
        "ProcessId": n % 9000,
        "Image": f"C:\\Windows\\System32\\tool{n % 60}.exe",
        "CommandLine": f"tool{n % 60}.exe /run {n}",
        "User": f"CORP\\user{n % 40}",
        "ParentImage": "C:\\Windows\\explorer.exe",
        "ParentCommandLine": "explorer.exe",
        "Hashes": f"SHA256={n:064x}",
    }
    return formats.sysmon(START + n * 10, f"ws{n % 50}", 1, data)


def okta(n: int) -> formats.Record:
    person = PEOPLE[n % len(PEOPLE)]
    return formats.okta(
        START + n * 10, person, "user.session.start", "User login to Okta", address(n), agent=AGENTS[n % 2]
    )


def github(n: int) -> formats.Record:
    return formats.github(START + n * 10, f"user{n % 40}", "git.clone", address(n), repo=f"repo-{n % 60}")


def kubernetes(n: int) -> formats.Record:
    return formats.kubernetes(
        START + n * 10, f"system:serviceaccount:shop:svc{n % 40}", "get", "pods", address(n), name=f"p{n}"
    )


SOURCES: tuple[tuple[str, Make], ...] = (
    ("json", cloudtrail),
    ("json", windows),
    ("json", okta),
    ("json", github),
    ("json", kubernetes),
    ("text", sshd),
    ("text", access),
)


def run() -> list[Row]:
    database = next(iter(sorted((Path(__file__).parents[1] / "tocsin" / "data").glob("*country*.mmdb"))), None)
    places = Places([database] if database else [])
    normaliser = Normaliser.shipped(
        content_directory() / "pipelines", Lookups(places.place, parse_user_agent, parse_url)
    )
    enricher = Enricher(places.place)
    rows = []
    sums = {"json": [0.0, 0], "text": [0.0, 0]}
    for kind, make in SOURCES:
        lines = [orjson.dumps(make(n).payload()) for n in range(EVENTS)]
        started = time.process_time()
        bodies = [orjson.loads(line) for line in lines]
        reading = time.process_time() - started
        records = [RawRecord(body, START, line) for body, line in zip(bodies, lines, strict=True)]
        gc.collect()
        started = time.process_time()
        for record in records:
            enricher.enrich(normaliser.normalise(record))
        working = time.process_time() - started
        sums[kind][0] += working
        sums[kind][1] += EVENTS
        rows.append(
            Row(
                f"normalise and enrich: {make.__name__}",
                f"{working / EVENTS * 1e6:.1f} µs",
                f"{reading / EVENTS * 1e6:.1f} µs",
                working / reading,
                note=f"{kind}; against orjson.loads of the same lines",
            )
        )
    for kind, (spent, count) in sums.items():
        mean = spent / count * 1e6
        target = TARGETS[kind]
        rows.append(
            Row(
                f"mean of {kind}", f"{mean:.1f} µs", target=f"≤ {target:.0f} µs", note="one core", is_met=mean <= target
            )
        )
    return rows
