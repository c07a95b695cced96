"""Security filters: which logs the rules see (siem.md §1.15)."""
