"""A story to look at on the first day: a working week of an invented company, and the intrusions in it.

Deterministic by a seed and ending at a given moment; every record has the real format of its source and goes
through the ordinary intake.
"""
