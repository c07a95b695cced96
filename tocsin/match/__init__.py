"""4. Event to Match: the queries of all enabled rules, compiled together."""
