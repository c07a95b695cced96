"""9. Threat intelligence: feeds of indicators, the explorer of what logs hold, and hunts through earlier logs."""
