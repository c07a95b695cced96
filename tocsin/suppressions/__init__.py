"""Suppressions: what people hide, for what reason and how long; what that would have hidden, and what it did hide."""
