"""Critical assets: what a signal is about may make it more or less severe (siem.md §2.12)."""
