"""Ids of signals: the same decision has the same id, and the order of ids follows time (design §4)."""

import hashlib

PREFIX = "AwAAA"


def signal_id(rule_id: str, rule_version: int, group: tuple[str, ...], opened_by: str, timestamp: int) -> str:
    """The id of the signal that the event `opened_by` opened; `timestamp` is that event's, in Unix milliseconds.

    Shape as of events: `AwAAA`, 12 hex digits of time, 24 of a digest. The version is part of it because an edited
    rule begins its windows anew: two versions may conclude different things from one event.
    """
    content = "\x1f".join((rule_id, str(rule_version), str(len(group)), *group, opened_by))
    digest = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=12, person=b"signal").hexdigest()
    return f"{PREFIX}{max(timestamp, 0):012x}{digest}"


def scope_key(rule_id: str, rule_version: int, group: tuple[str, ...]) -> str:
    """A short name of one signal group of one version of a rule, by which its signals are found again."""
    content = "\x1f".join((rule_id, str(rule_version), str(len(group)), *group))
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=10, person=b"scope").hexdigest()
