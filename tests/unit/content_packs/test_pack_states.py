"""In what state a pack is, by what is there of it (siem.md §1.16)."""

from dataclasses import replace

import pytest

from tocsin.content_packs.states import (
    DAY_MS,
    HOUR_MS,
    Activation,
    Facts,
    Integration,
    Seen,
    Status,
    activation,
    integration,
    seen,
    status,
)

NOW = 100 * DAY_MS
WORKING = Facts(
    now=NOW,
    decision=None,
    decided_at=0,
    last_seen=NOW - HOUR_MS,
    rules_enabled=3,
    is_analysed=True,
    are_pipelines_on=True,
)
UNSEEN = replace(WORKING, last_seen=None)
ON, OFF = Activation.ACTIVATED, Activation.DEACTIVATED


@pytest.mark.parametrize(
    ("ago", "bucket"),
    [
        (None, Seen.NEVER),
        (-HOUR_MS, Seen.A_DAY),
        (DAY_MS, Seen.A_DAY),
        (DAY_MS + 1, Seen.THREE_DAYS),
        (3 * DAY_MS, Seen.THREE_DAYS),
        (3 * DAY_MS + 1, Seen.A_MONTH),
        (30 * DAY_MS, Seen.A_MONTH),
        (30 * DAY_MS + 1, Seen.LONG_AGO),
    ],
)
def test_when_data_was_last_seen(ago: int | None, bucket: Seen) -> None:
    assert seen(None if ago is None else NOW - ago, NOW) is bucket


@pytest.mark.parametrize(
    ("facts", "active", "state"),
    [
        (WORKING, ON, Status.ACTIVE),
        (replace(WORKING, last_seen=NOW - 30 * HOUR_MS), ON, Status.WARNING),
        (replace(WORKING, last_seen=NOW - 4 * DAY_MS), ON, Status.BROKEN),
        (replace(WORKING, last_seen=NOW - 40 * DAY_MS), Activation.NEVER, Status.INSTALL),
        (replace(WORKING, is_analysed=False), ON, Status.BROKEN),
        (replace(WORKING, rules_enabled=0), Activation.NEVER, Status.ACTIVATE),
        (UNSEEN, Activation.NEVER, Status.INSTALL),
        (replace(UNSEEN, rules_enabled=0), Activation.NEVER, Status.ACTIVATE),
        (replace(UNSEEN, decision=ON, decided_at=NOW - HOUR_MS), ON, Status.INITIALIZING),
        (replace(UNSEEN, decision=ON, decided_at=NOW - 2 * DAY_MS), ON, Status.WARNING),
        (replace(UNSEEN, decision=ON, decided_at=NOW - 4 * DAY_MS), ON, Status.BROKEN),
        (replace(WORKING, decision=ON, last_seen=NOW - 40 * DAY_MS), ON, Status.BROKEN),
        (replace(WORKING, decision=ON, rules_enabled=0), ON, Status.NOT_CONFIGURED),
        (replace(WORKING, decision=OFF, rules_enabled=0), OFF, Status.ACTIVATE),
        (replace(UNSEEN, decision=OFF), OFF, Status.ACTIVATE),
    ],
)
def test_the_state_of_a_pack(facts: Facts, active: Activation, state: Status) -> None:
    assert (activation(facts), status(facts)) == (active, state)


def test_the_integration_of_a_source_is_its_pipelines() -> None:
    assert integration(UNSEEN) is Integration.AVAILABLE
    assert integration(WORKING) is Integration.INSTALLED
    assert integration(replace(WORKING, decision=OFF)) is Integration.DETECTED
    assert integration(replace(WORKING, are_pipelines_on=False)) is Integration.PARTIAL
