"""Why a signal is there, and why one is not (design §9.5)."""
