"""Run the benchmarks named on the command line, or all: every module here that has `run() -> list[Row]`.

Each runs in a process of its own, so that neither memory nor the embedded engine is shared.
"""

import importlib
import multiprocessing
import pkgutil
import sys
from concurrent.futures import ProcessPoolExecutor

import bench
from bench.runner import run_benchmark
from bench.table import show


def names() -> list[str]:
    return sorted(
        module.name
        for module in pkgutil.iter_modules(bench.__path__)
        if not module.name.startswith("_") and hasattr(importlib.import_module(f"bench.{module.name}"), "run")
    )


def main(chosen: list[str]) -> int:
    missed = 0
    for name in chosen or names():
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            rows = pool.submit(run_benchmark, name).result()
        show(rows, name)
        missed += sum(row.is_met is False for row in rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
