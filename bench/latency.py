"""How long from the acknowledgement of a log to its signal in the search, while 2,000 events/s come in over HTTP.

A real server process with all shipped rules, on loopback; the probes and how they are looked for are `steady.py`.
"""

import re

from bench.steady import metrics, server, steady
from bench.table import Row

RATE = 2_000
SECONDS = 75
WARM_UP = 15
SENDERS = 16
TARGET_P99 = 2.0


def run() -> list[Row]:
    with server() as (url, _):
        load, seen = steady(url, RATE, WARM_UP + SECONDS, SENDERS)
        signals = metrics(url)
    took, lost = load.took(seen, WARM_UP)
    rate = load.sent / (WARM_UP + SECONDS)
    raised = sum(float(n) for n in re.findall(r"^tocsin_signals_created_total\{.*\} (\S+)$", signals, re.M))
    p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
    note = (
        f"{rate:,.0f} events/s, {len(took)} probes, {lost} not seen, max {took[-1]:.2f} s, {raised:,.0f} signals raised"
    )
    met = p99 <= TARGET_P99 and not lost and rate >= RATE * 0.95
    return [
        Row("log acknowledged to signal found, p50", f"{p50:.2f} s", note=note),
        Row("log acknowledged to signal found, p99", f"{p99:.2f} s", target=f"<= {TARGET_P99:.0f} s", is_met=met),
    ]
