"""What a process of `python -m bench` does; in a module that such a process can import, which `__main__` is not."""

import importlib

from bench.table import Row


def run_benchmark(name: str) -> list[Row]:
    """The rows of one benchmark."""
    rows: list[Row] = importlib.import_module(f"bench.{name}").run()
    return rows
