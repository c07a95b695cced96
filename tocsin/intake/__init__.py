"""1. Bytes to raw records: formats, encodings, limits, group commit."""
