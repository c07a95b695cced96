"""Runs of scheduled rules, in the state store."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from tocsin.rules.tables import RuleId
from tocsin.store.tables import Milliseconds, metadata

scheduled_runs = Table(
    "scheduled_runs",
    metadata,
    Column("rule_id", RuleId, primary_key=True),
    Column("until", Milliseconds, primary_key=True),
    Column("since", Milliseconds, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("times", Integer, nullable=False),
    Column("began_at", Milliseconds, nullable=False),
    Column("ended_at", Milliseconds),
    Column("matches", BigInteger, nullable=False),
    Column("error", Text),
    Index("ix_scheduled_runs_status", "status"),
)
"""A run looks at the logs of `(since, until]`, at the version of the rule that there was when it began. `times`: how
many times of the schedule it is for, more than one when others were missed."""
