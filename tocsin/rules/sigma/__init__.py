"""Sigma rules as rules of ours: reading, log sources and fields, conditions, correlations (decision 0107).

Read in the order of the work: `files` (directories, archives), `logsources` (which events a rule is about and where
our normaliser puts its fields), `values` and `conditions` (what it asks of them), `convert` (the rule that results),
`correlations` (rules over rules), `collection` (all of it, with every refusal).
"""
