"""People, roles, permissions, keys, audit trail."""
