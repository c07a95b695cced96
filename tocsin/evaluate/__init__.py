"""6. Matches to conclusions: windows, cases, the life of a signal."""
