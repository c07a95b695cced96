"""What one source of the story says, without end: to see rules work on a source that is not connected yet.

The records of a quarter of an hour follow from the seed and the quarter alone, so that whoever goes on where another
was killed sends the very same.
"""

import random
from collections.abc import Callable, Iterable, Iterator

from tocsin.demo import background, intrusions
from tocsin.demo.formats import Record
from tocsin.demo.happening import MINUTE, Happening

QUARTER_MS = 15 * MINUTE
EVERY_MS = 8_000
"""Between two records of the background, on average."""

_INTRUSION_AFTER_MS = MINUTE
_LONGEST_MS = 4 * QUARTER_MS
"""No intrusion takes longer."""

Draw = Callable[[int, random.Random], Record]

_SOURCES: dict[str, tuple[Draw, Happening]] = {
    "cloudtrail": (background.cloud_call, intrusions.cloud_takeover),
    "okta": (background.okta_session, intrusions.identity_takeover),
    "github": (background.repository_work, intrusions.code_theft),
    "gsuite": (background.office_work, intrusions.remote_takeover),
    "kubernetes": (background.cluster_call, intrusions.cluster_intrusion),
    "windows": (background.desktop, intrusions.workstation_compromise),
    "sshd": (background.shell_session, intrusions.ssh_brute_force),
    "nginx": (background.web_visit, intrusions.web_attack),
    "bind": (background.name_question, intrusions.remote_takeover),
    "cisco-asa": (background.remote_session, intrusions.remote_takeover),
}


def source_of(sources: Iterable[str]) -> str | None:
    """The first of these sources of which there are samples."""
    return next((source for source in sources if source in _SOURCES), None)


def between(source: str, seed: str, start: int, after: int, until: int) -> list[Record]:
    """The records of `(after, until]` of what begins at `start`, in order of time (Unix milliseconds): the background,
    and from the first minute of every second quarter on an intrusion. Raises `KeyError` for a source without samples.
    """
    draw, intrusion = _SOURCES[source]
    first = max(0, (after - start) // QUARTER_MS)
    last = (until - start) // QUARTER_MS
    found = [record for n in range(first, last + 1) for record in _quarter(draw, seed, start, n)]
    for number in range(max(0, first - _LONGEST_MS // QUARTER_MS), last + 1):
        if number % 2 == 0:
            at = start + number * QUARTER_MS + _INTRUSION_AFTER_MS
            found += (one for one in intrusion(at, _rng(seed, "intrusion", number)) if one.source == source)
    return sorted((record for record in found if after < record.at <= until), key=lambda record: record.at)


def _quarter(draw: Draw, seed: str, start: int, number: int) -> Iterator[Record]:
    rng = _rng(seed, "background", number)
    at, end = start + number * QUARTER_MS, start + (number + 1) * QUARTER_MS
    while (at := at + max(1, round(rng.expovariate(1 / EVERY_MS)))) < end:
        yield draw(at, rng)


def _rng(seed: str, part: str, number: int) -> random.Random:
    return random.Random(f"{seed}:{part}:{number}")
