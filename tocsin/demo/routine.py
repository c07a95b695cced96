"""What sets off rules in the story and is no attack: it was announced, or is the known mistake of a machine."""

import random
from collections.abc import Iterator

from tocsin.demo import formats
from tocsin.demo.cast import BASTION, MONITOR, TESTERS, WEB_HOSTS
from tocsin.demo.formats import Record
from tocsin.demo.happening import SECOND, Happening

_FOLDERS = ("admin", "backup", "old", "test", "staging", "api/v1", "api/v2", "internal")
_FILES = ("index.php", "config.bak", "login", "status", "users.csv", "debug", "console", "readme.txt")


def announced_scan(at: int, rng: random.Random) -> Iterator[Record]:
    """The testers whom the company pays look for forgotten files in its shop."""
    host = rng.choice(WEB_HOSTS)
    agent = "Brightwater-Assessment/4.2 (+https://brightwater.example/scanning)"
    for folder in _FOLDERS:
        for file in _FILES:
            at += rng.randrange(300, 1500)
            yield formats.access(at, host, TESTERS, f"GET /{folder}/{file} HTTP/1.1", 404, 162, agent=agent)


def stale_password(at: int, rng: random.Random) -> Iterator[Record]:
    """The monitoring tries whether the bastion lets it in, with a password that has long been another."""
    for attempt in range(8):
        at += rng.randrange(50, 70) * SECOND
        text = f"Failed password for monitor from {MONITOR} port {rng.randrange(32_000, 60_000)} ssh2"
        yield formats.sshd(at, BASTION, text, 2600 + attempt)


ROUTINES: tuple[tuple[int, Happening], ...] = (
    (6 * 1440 - 400, stale_password),
    (5 * 1440 - 90, announced_scan),
    (4 * 1440 - 400, stale_password),
    (3 * 1440 - 90, announced_scan),
    (2 * 1440 - 400, stale_password),
    (21 * 60, stale_password),
    (16 * 60, announced_scan),
    (11 * 60, stale_password),
    (200, announced_scan),
    (60, stale_password),
)
"""When each of them begins, in minutes before the end of the story."""
