"""`tocsin pipeline eval` without its command line."""

from typing import Any

import orjson
import pytest

from tocsin.errors import BadRequest
from tocsin.normalise import Lookups
from tocsin.normalise.evaluate import BadSample, Evaluation

PIPELINE: dict[str, Any] = {
    "type": "pipeline",
    "name": "Door",
    "filter": {"query": "source:door"},
    "processors": [
        {"type": "grok-parser", "source": "message", "grok": {"match_rules": "r %{word:act} %{notSpace:who}"}},
        {"type": "date-remapper", "sources": ["at"]},
        {"type": "status-remapper", "sources": ["level"]},
        {
            "type": "pipeline",
            "name": "Only the gate",
            "filter": {"query": "source:door service:gate"},
            "processors": [{"type": "attribute-remapper", "sources": ["who"], "target": "usr.id"}],
        },
    ],
}


def results(*samples: Any, pipeline: Any = PIPELINE) -> list[Any]:
    lines = [orjson.dumps(sample) for sample in samples]
    return [orjson.loads(line) for line in Evaluation(pipeline, Lookups()).lines(iter(lines))]


def test_a_text_and_an_object_are_samples() -> None:
    text, parsed, given = results(
        "opened ana",
        '{"message": "opened ana", "at": 1700000000000}',
        {"message": "opened ana", "service": "gate", "tags": ["env:prod"], "level": "err"},
    )
    assert text == {
        "custom": {"act": "opened", "who": "ana"},
        "message": "opened ana",
        "tags": ["source:LOGS_SOURCE"],
        "timestamp": 1,
    }
    assert parsed["timestamp"] == 1_700_000_000_000
    assert given == {
        "custom": {"act": "opened", "level": "err", "usr": {"id": "ana"}},
        "message": "opened ana",
        "service": "gate",
        "status": "error",
        "tags": ["env:prod", "source:LOGS_SOURCE"],
        "timestamp": 1,
    }


def test_a_published_file_is_a_pipeline_too() -> None:
    assert results("opened ana", pipeline={"id": "door", "pipeline": PIPELINE}) == results("opened ana")


def test_a_line_that_is_no_sample_is_named() -> None:
    evaluation = Evaluation(PIPELINE, Lookups())
    with pytest.raises(BadSample, match="line 2 is neither a text nor an object"):
        list(evaluation.lines(iter([b'"a"', b"7"])))
    with pytest.raises(BadSample, match="line 1 is not JSON"):
        list(evaluation.lines(iter([b"opened ana"])))
    with pytest.raises(BadRequest, match="switched off"):
        Evaluation(PIPELINE | {"is_enabled": False}, Lookups())
