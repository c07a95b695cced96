"""TAXII 2.1: the objects of a collection, by OASIS's client over our guarded connection (decision 0103)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import Collection, as_pages

from tocsin.outbound import Outbound
from tocsin.threat_intel.reading import BadFeed

PER_PAGE = 2_000
MAX_PAGES = 1_000


class _Connection:
    """What the client calls its connection, with our own way out instead of `requests`."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        asked = {name: str(value[0] if isinstance(value, tuple) else value) for name, value in (params or {}).items()}
        answer = self._outbound.get(url, headers, asked)
        try:
            found = orjson.loads(answer.content)
        except ValueError as error:
            raise BadFeed(f"the TAXII server answers with something that is no JSON: {error}") from error
        if not isinstance(found, dict):
            raise BadFeed("the TAXII server answers with something that is no object")
        return found

    def close(self) -> None:
        """The way out is closed by its owner."""


def taxii_objects(url: str, outbound: Outbound) -> list[Any]:
    """All objects of the collection at a URL (`…/collections/<id>/`), page by page. Raises `BadFeed`."""
    objects: list[Any] = []
    try:
        collection = Collection(url, conn=_Connection(outbound))
        for number, page in enumerate(as_pages(collection.get_objects, per_request=PER_PAGE)):
            found = page.get("objects", [])
            if not isinstance(found, Sequence):
                raise BadFeed("the TAXII server answers with `objects` that are no list")
            objects += found
            if number >= MAX_PAGES or (not found and page.get("more")):
                raise BadFeed(f"the TAXII server does not come to an end after {number + 1:,} pages")
    except TAXIIServiceException as error:
        raise BadFeed(f"this is no TAXII 2.1 collection that can be read: {error}") from error
    return objects
