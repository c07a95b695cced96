"""7. Identity, content, projection and upsert of signals."""
