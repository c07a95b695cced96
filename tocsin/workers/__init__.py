"""Processes: what runs when, and how it stops."""
