"""Gets the content of a feed and reads it: from an upload, a file, a URL, a TAXII collection."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import orjson

from tocsin.fitting import fitted
from tocsin.outbound import MAX_BYTES, Outbound
from tocsin.threat_intel.csv_feed import read_csv
from tocsin.threat_intel.feed import FeedSettings
from tocsin.threat_intel.misp import read_misp
from tocsin.threat_intel.reading import BadFeed, Reading
from tocsin.threat_intel.stix import read_objects, read_stix
from tocsin.threat_intel.taxii import taxii_objects

OpenOutbound = Callable[[tuple[str, str] | None, dict[str, str]], Outbound]
"""A way out with this user and password, and these headers."""


class Fetcher:
    """`directory` holds the feeds that are files; `open_outbound` makes the guarded way out."""

    def __init__(self, directory: Path, open_outbound: OpenOutbound) -> None:
        self._directory = directory
        self._open_outbound = open_outbound

    def fetch(self, settings: FeedSettings, secret: str | None, reading: Reading) -> None:
        """Fill the reading from where the feed is. Raises `BadFeed`, `RefusedAddress`, `OutboundFailed`."""
        if settings.kind == "file":
            read(settings, self._file(settings.location), reading)
            return
        with well_formed(), closing(self._open_outbound(*_credentials(settings, secret))) as outbound:
            if settings.format == "taxii":
                read_objects(taxii_objects(settings.location, outbound), reading)
                return
            answer = outbound.get(settings.location)

            def beside(name: str) -> bytes:
                return plain(outbound.get(str(httpx.URL(answer.url).join(name))).content)

            if settings.format == "misp":
                read_misp(plain(answer.content), reading, beside)
            else:
                read(settings, answer.content, reading)

    def _file(self, name: str) -> bytes:
        directory = self._directory.resolve()
        path = (directory / name).resolve()
        if not path.is_relative_to(directory):
            raise BadFeed(f"'{name}' leads out of the directory of feeds, {directory}")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise BadFeed(f"{path} has more than {MAX_BYTES:,} bytes")
            return path.read_bytes()
        except OSError as error:
            raise BadFeed(f"cannot read {path}: {error.strerror}") from error


def read(settings: FeedSettings, content: bytes, reading: Reading) -> None:
    """Fill the reading from the bytes of a feed, which may be gzipped. Raises `BadFeed`."""
    content = plain(content)
    with well_formed():
        match settings.format:
            case "csv":
                read_csv(content, settings.csv_columns(), reading)
            case "stix" | "taxii":
                read_stix(content, reading)
            case "misp":
                read_misp(content, reading)
            case other:
                raise BadFeed(f"'{other}' is no format of feeds")


@contextmanager
def well_formed() -> Iterator[None]:
    """A feed whose members are not what its format says is refused: others write it, it may hold anything."""
    try:
        yield
    except (TypeError, AttributeError, LookupError, ValueError, RecursionError) as error:
        raise BadFeed(f"the feed is not shaped as its format says: {error}") from error


def plain(content: bytes) -> bytes:
    """The content without gzip around it. Raises `BadFeed`."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = stream.decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise BadFeed(f"the feed is no whole gzip file: {error}") from error
    if stream.unconsumed_tail:
        raise BadFeed(f"the feed has more than {MAX_BYTES:,} bytes when decompressed")
    if not stream.eof:
        raise BadFeed("the feed is no whole gzip file: it ends too early")
    return found


def serialised(reading: Reading) -> bytes:
    """What was read, in one form whatever way it came, to tell whether anything is new."""
    rows = sorted(
        (kind, value, indicator.expires_at or 0, fitted(orjson.dumps(indicator.result(), option=orjson.OPT_SORT_KEYS)))
        for (kind, value), indicator in reading.indicators.items()
    )
    return b"\n".join(b"%d %b" % (expires, line) for _, _, expires, line in rows)


def _credentials(settings: FeedSettings, secret: str | None) -> tuple[tuple[str, str] | None, dict[str, str]]:
    if secret is None:
        return None, {}
    match settings.authentication:
        case "basic":
            return (settings.user_name, secret), {}
        case "bearer":
            return None, {"Authorization": f"Bearer {secret}"}
        case "header":
            return None, {settings.header_name: secret}
    return None, {}
