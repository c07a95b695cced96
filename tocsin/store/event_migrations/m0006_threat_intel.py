"""Threat intelligence."""

from collections.abc import Iterator


def statements(cluster: str | None) -> Iterator[str]:
    del cluster
    yield from ()
