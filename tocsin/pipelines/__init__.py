"""Pipelines as data: what people and clients do with the pipelines that the intake runs (siem.md §1.8, api-more.md)."""
