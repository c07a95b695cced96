"""What is kept takes no more memory than it is long (decision 0208)."""


def fitted(content: bytes) -> bytes:
    """The same, for keeping. What libraries make holds all the room that it was made in, whatever its length says: 4 KB
    each of orjson 3.13, of zstandard 0.25 what a text would take that cannot be packed."""
    return bytes(memoryview(content))
