"""Processors of siem.md §1.9: from their description in the API's shape to functions."""

from tocsin.normalise.processors.compile import Compiler

__all__ = ["Compiler"]
