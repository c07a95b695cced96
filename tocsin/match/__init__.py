"""4. Event to matches: all enabled rules' queries compiled together."""

from tocsin.match.matcher import Matcher, Problem

__all__ = ["Matcher", "Problem"]
