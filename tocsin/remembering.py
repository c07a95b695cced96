"""What is remembered of texts that senders choose: a memory that is bounded in number and in length.

`functools.lru_cache` counts entries, whatever they hold: 65,536 made-up addresses of a megabyte each would be all the
memory of a machine. A text that is longer than anything that repeats is worked out anew each time.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 256
"""Characters of a text that is remembered."""


def remembered(
    count: int, longest: int = LONGEST
) -> Callable[[Callable[Concatenate[str, P], R]], Callable[Concatenate[str, P], R]]:
    """Decorates a function of a text (and perhaps of a few other small things) whose answer is always the same.

    The newest `count` answers are kept, of texts of at most `longest` characters.
    """

    def decorate(function: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
        known: Callable[..., R] = lru_cache(maxsize=count)(function)

        @wraps(function)
        def remembering(text: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return known(text, *args, **kwargs) if len(text) <= longest else function(text, *args, **kwargs)

        return remembering

    return decorate
