"""Pipelines that come with Tocsin, in the API's shape with nothing left to its defaults."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tocsin.normalise.pipelines import pipeline_files

ID_PREFIX = "tocsin-"

_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "url-parser": {"sources": ["http.url"], "target": "http.url_details"},
    "user-agent-parser": {"sources": ["http.useragent"], "target": "http.useragent_details"},
    "geo-ip-parser": {"sources": ["network.client.ip"], "target": "network.client.geoip"},
    "grok-parser": {"source": "message"},
}


def read_shipped(directory: Path) -> dict[str, dict[str, Any]]:
    """Id to body of each pipeline of a content directory, in order."""
    return {
        ID_PREFIX + file.stem: _complete(yaml.load(file.read_text(), Loader=_LOADER))  # noqa: S506
        for file in pipeline_files(directory)
    }


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _complete(body: Mapping[str, Any]) -> dict[str, Any]:
    """A pipeline or processor with what our files leave out, so that any client can read it."""
    made = {**_DEFAULTS.get(body.get("type", ""), {}), "is_enabled": True, **body}
    if isinstance(made.get("lookup_table"), str):
        made["lookup_table"] = made["lookup_table"].splitlines()
    if "processors" in made and made.get("type") != "array-map-processor":
        made["processors"] = [_complete(processor) for processor in made["processors"]]
    return made
