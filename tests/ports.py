"""Ports for servers that are told theirs, and keep it while they are killed and started again."""

import itertools
import os
import socket

FIRST, LAST = 10_000, 32_000
"""Below those that the system gives to clients (from 32768): nobody's outgoing connection takes one meanwhile, nor does
a client that knocks where nothing listens yet reach itself."""

_candidates = itertools.count(os.getpid() * 997)
"""Test processes that run side by side begin at different places."""


def free_port() -> int:
    """A port of loopback that nothing listens on, another one each time."""
    for candidate in _candidates:
        port = FIRST + candidate % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("never reached: the candidates do not end")
