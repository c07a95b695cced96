"""HTTP: one module per noun; a route only states its contract."""
