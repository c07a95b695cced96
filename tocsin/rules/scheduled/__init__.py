"""Scheduled rules: rules that run over stored logs at the times of an RRULE (siem.md §2.22)."""
