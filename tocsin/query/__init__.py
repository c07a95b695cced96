"""The search language: text -> tree -> SQL, predicate, text (spec: search-syntax)."""

from tocsin.query.sql import Sql
from tocsin.query.track import AUDIT, EVAL, LOGS, SIGNALS, SPANS, TRACKS, Track

__all__ = ["AUDIT", "EVAL", "LOGS", "SIGNALS", "SPANS", "TRACKS", "Sql", "Track"]
