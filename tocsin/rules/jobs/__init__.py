"""Historical jobs: a rule, or what one would be, run once over stored logs (siem.md §2.24, api.md §8)."""
