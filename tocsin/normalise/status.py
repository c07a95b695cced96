"""Status words and numbers to the nine statuses of the log track (api.md §2, siem.md §1.9)."""

from typing import Any

from tocsin.remembering import remembered

LEVELS = ("emergency", "alert", "critical", "error", "warn", "notice", "info", "debug")
"""By syslog number."""

_PREFIXES = (
    ("emerg", "emergency"),
    ("f", "emergency"),
    ("a", "alert"),
    ("c", "critical"),
    ("err", "error"),
    ("w", "warn"),
    ("n", "notice"),
    ("i", "info"),
    ("d", "debug"),
    ("trace", "debug"),
    ("verbose", "debug"),
    ("o", "ok"),
    ("s", "ok"),
)
# `e` alone is no prefix of the table; loggers that write one letter mean error by it.
_WORDS = {"e": "error", "t": "debug", "v": "debug"}
_KNOWN = {
    *LEVELS,
    *("emerg", "fatal", "panic", "crit", "err", "warning", "information", "informational", "trace", "verbose", "ok"),
    *("success", "severe", "dbg", "wrn", "inf"),
}


def status_of(value: Any) -> str | None:
    """The status that a value means; `info` for a text that means none, None for what is neither text nor number."""
    if isinstance(value, str):
        return _of_text(value[:32])
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return LEVELS[int(value)] if value in range(8) else "info"
    return None


@remembered(4096)
def _of_text(text: str) -> str:
    word = text.strip().lower()
    if word.isdecimal() and len(word) == 1 and int(word) < len(LEVELS):
        return LEVELS[int(word)]
    if word in _WORDS:
        return _WORDS[word]
    for prefix, status in _PREFIXES:
        if word.startswith(prefix):
            return status
    return "info"


def is_status(value: Any) -> bool:
    """Whether a value can only be a status, so that nothing is lost when it moves into the reserved attribute."""
    return isinstance(value, str) and value.strip().lower() in _KNOWN
