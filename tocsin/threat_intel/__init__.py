"""3b. Threat intelligence: feeds of indicators, what they say about values in logs, and the hunt for old ones."""
