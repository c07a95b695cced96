"""What 200,000 indicators cost: the intake worker's time per event with and without them, turn by turn in one run.

Also how long it takes until a process has them: to write the file that all processes share, and to open it.
"""

import gc
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from bench.load import load_lines
from bench.table import Row
from tocsin.bootstrap import content_directory, recipe
from tocsin.config import Config
from tocsin.enrich.indicator_table import IndicatorTable, write_table
from tocsin.enrich.indicators import Indicator
from tocsin.intake.batch import Prepared
from tocsin.intake.request import Request
from tocsin.normalise.addresses import addresses_in
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped

INDICATORS = 200_000
EVENTS = 20_000
BATCH = 1_000
ROUNDS = 3
TARGET = 0.10
NOW = 1_772_800_000_000

SHARES = (("ip_address", 0.5), ("network", 0.2), ("domain", 0.2), ("url", 0.02), ("sha256", 0.08))


def run() -> list[Row]:
    rules = [
        rule_from_api({**one.body, "id": one.id, "version": 1}) for one in read_shipped(content_directory() / "rules")
    ]
    lines = list(load_lines(EVENTS, batch=BATCH))
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as scratch:
        file = Path(scratch) / "indicators.bin"
        began = time.perf_counter()
        count = write_table(file, indicators(lines))
        writing = time.perf_counter() - began
        began = time.perf_counter()
        table = IndicatorTable(file)
        opening = time.perf_counter() - began
        table.close()
        setups = [recipe(Config(), rules, None, path)() for path in (None, file)]
        spent = [0.0, 0.0]
        matched = [0, 0]
        for setup in setups:  # what both remember, such as user agents, is not paid by whoever comes first
            for line in lines:
                setup(_request(line))
        gc.collect()
        gc.freeze()
        for round_number in range(ROUNDS):
            for number, line in enumerate(lines):  # request by request, so that a busy machine slows both alike
                for which in (0, 1) if (round_number + number) % 2 else (1, 0):
                    began = time.process_time()
                    prepared = setups[which](_request(line))
                    spent[which] += time.process_time() - began
                    if not round_number:
                        matched[which] += _matched(prepared)
    if matched[0] or not matched[1]:
        raise RuntimeError(f"{matched} events have indicators, without and with the table")
    without, with_table = (seconds / (EVENTS * ROUNDS) * 1e6 for seconds in spent)
    share = (with_table - without) / without
    return [
        Row(
            f"enrichment with {count:,} indicators",
            f"{with_table - without:+.1f} µs/event",
            f"{without:.0f} µs/event",
            share,
            f"< {TARGET}",
            f"the intake worker's whole work; {matched[1] / EVENTS:.1%} of {EVENTS:,} events have an indicator",
            share < TARGET,
        ),
        Row(
            "the table of all indicators",
            f"{writing:.2f} s to write",
            f"{opening:.2f} s to open",
            note="written by each process once for a change, opened by each worker; a change needs both",
        ),
    ]


def indicators(lines: Sequence[bytes]) -> Iterator[Indicator]:
    """Random ones, and one of every hundred addresses that the load holds."""
    rng = random.Random(7)
    present = sorted({address for line in lines[:5] for address in _addresses(line)})
    for address in present[::100]:
        yield Indicator("ip_address", address, "scanner", "suspicious", "bench")
    for kind, share in SHARES:
        for number in range(int(INDICATORS * share)):
            yield _random(kind, number, rng)


def _random(kind: str, number: int, rng: random.Random) -> Indicator:
    data = {"family": f"family {number % 500}", "seen": number}
    if kind in ("ip_address", "network"):
        value = f"{rng.randrange(11, 200)}.{rng.randrange(256)}.{rng.randrange(256)}."
        value += "0/24" if kind == "network" else str(rng.randrange(1, 255))
        return Indicator("ip_address", value, "malware", "malicious", "bench", "", data)
    value = {
        "domain": f"host{number}.bad{rng.randrange(10**9)}.example",
        "url": f"http://bad{rng.randrange(10**9)}.example/{number}",
        "sha256": f"{rng.getrandbits(256):064x}",
    }[kind]
    return Indicator(kind, value, "malware", "malicious", "bench", "", data)


def _addresses(line: bytes) -> Iterator[str]:
    for record in orjson.loads(line):
        yield from addresses_in(orjson.dumps(record).decode())


def _request(line: bytes) -> Request:
    return Request(line, NOW)


def _matched(prepared: Prepared) -> int:
    return sum(b'"threat_intel.indicators_matched"' in line for line in prepared.lines)
