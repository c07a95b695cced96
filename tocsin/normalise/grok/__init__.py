"""Grok: named patterns that take a text apart (siem.md §1.10), on a regular-expression engine of linear time."""

from tocsin.normalise.grok.rules import Grok, compile_grok

__all__ = ["Grok", "compile_grok"]
