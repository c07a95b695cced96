"""Tocsin: from a log line to a triaged signal.

Read the packages in the order in which an event travels through them:

    intake      1  bytes -> raw records: HTTP, files; formats, limits
    normalise   2  raw record -> Event: parsers (pipelines), standard attributes
    enrich      3  Event -> Event with context: geo, user agent, threat intelligence
    match       4  Event -> Match: all rules' queries compiled together
    store       5  events (chDB, ClickHouse) and state (SQLite, PostgreSQL)
    evaluate    6  matches -> what a rule concludes
    signals     7  identity, projection, severity, upsert
    explore     8  search, facets, time series
    triage      8  state machine, assignment, history
    rules       8  the rule editor's side: validation, versions, tests, backtests, jobs, schedules, coverage
    suppressions, pipelines, reference_tables, security_filters, critical_assets
                8  what people set up beside the rules
    explain     9  why a signal fired, why a rule did not
    threat_intel  9  feeds of indicators, their explorer, hunts through earlier logs
    content_packs 9  what is there for a source as a whole: rules, pipelines, guide, sample logs

`access` knows people, roles, permissions and keys, and keeps the audit trail; services from 6 on ask it.

The nouns that all of them share stand beside the packages: `event`, `rule`, `signal`. `query` is the
search language that every surface uses. `pipeline` names the order of work on a batch. `bootstrap` wires
everything; `workers` runs it; `cli` and `api` are the two doors.
"""

from tocsin import compiled

compiled.prefer()

__version__ = "0.1.0"
