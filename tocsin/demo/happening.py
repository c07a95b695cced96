"""What the story's schedules are made of."""

import random
from collections.abc import Callable, Iterator

from tocsin.demo.formats import Record

SECOND = 1000
MINUTE = 60 * SECOND
"""In milliseconds, as all times of the story."""

Happening = Callable[[int, random.Random], Iterator[Record]]
"""The records of an intrusion or a routine, from its first moment (Unix milliseconds)."""
