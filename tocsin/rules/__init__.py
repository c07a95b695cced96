"""8. The rule editor's side: validation, versions, tests."""
