"""A pipeline that is tried on a sample."""

from typing import Any

import pytest

from tocsin.normalise.lookups import Lookups
from tocsin.normalise.trace import trace

NONE: dict[str, Any] = {"query": None}


@pytest.mark.parametrize("given", [{}, {"filter": None}, {"filter": {}}, {"filter": NONE}])
def test_a_pipeline_without_a_filter_takes_every_sample(given: dict[str, Any]) -> None:
    inner = {"type": "pipeline", "name": "inner", "is_enabled": True, **given, "processors": []}
    pipeline = {"name": "outer", "is_enabled": True, **given, "processors": [inner]}
    found = trace(pipeline, "a line", Lookups(), 1, 5)
    assert found.is_matched
    assert found.before == found.event
    assert found.before["message"] == "a line"
