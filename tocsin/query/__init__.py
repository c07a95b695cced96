"""The search language: text -> tree -> SQL, predicate, text (spec: search-syntax)."""
