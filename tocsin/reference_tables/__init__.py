"""Reference tables: lists that people keep, for lookups in pipelines and filters of rules (siem.md §1.19)."""
