"""The OpenAPI document against the running application: no request that it allows, or forbids, breaks the server."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import requests
import schemathesis
from api_server import ADMIN, API_KEY, APP_KEY, PASSWORD, serve
from hypothesis import HealthCheck, Phase, settings
from prometheus_client import CollectorRegistry
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from waiting import TIMEOUT

from tocsin.api.app import create_app
from tocsin.api.openapi import document
from tocsin.bootstrap import build
from tocsin.config import Config

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

EXAMPLES = 6
"""For each of some hundred operations; twice as many took 190 s of one core and found nothing more."""

BASE = "/api/v2/security_monitoring"
ASK_THE_SAME = (
    f"POST {BASE}/configuration/suppressions/rules",
    f"POST {BASE}/rules/backtest",
    f"POST {BASE}/rules/convert",
    f"POST {BASE}/rules/hints",
    f"POST {BASE}/rules/preview",
    f"POST {BASE}/rules/render",
    f"POST {BASE}/rules/test",
    f"POST {BASE}/rules/validation",
    f"POST {BASE}/rules/{{rule_id}}/test",
    f"PUT {BASE}/rules/{{rule_id}}",
)
"""They read a rule as creating one does, for which every member is tried at its bounds: a thousand requests. Here what
is generated is enough."""

CONFIG = SchemathesisConfig.from_dict(
    {"operations": [{"include-name": name, "phases": {"coverage": {"enabled": False}}} for name in ASK_THE_SAME]}
)

DOCUMENT = json.loads(document(create_app(SimpleNamespace(metrics=CollectorRegistry()))))  # type: ignore[arg-type]


@schemathesis.serializer("application/logplex-1")
def as_lines(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """The log intake takes lines of text of this type, which the client does not know."""
    return str(value).encode(errors="replace")


schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, requests.Session]]:
    """URL of the whole application, as `tocsin up` has it but without its background work, and a connection to it."""
    folder = tmp_path_factory.mktemp("whole")
    services = build(
        Config(
            data=folder,
            admin_email=ADMIN,
            admin_password=PASSWORD,
            api_key=API_KEY,
            app_key=APP_KEY,
            intake_workers=-1,
            query_seconds=5,
            memory_bytes=10**9,
        )
    )
    services.access.bootstrap()
    services.intake.start()
    with serve(create_app(services)) as url, requests.Session() as session:
        session.trust_env = False  # nor looks for passwords in a file before each request
        yield url, session
    services.close()


OPERATIONS = {made.ok().label: made.ok() for made in schema.get_all_operations()}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def keeps_the_document(whole: tuple[str, requests.Session], case: schemathesis.Case) -> None:
    url, session = whole
    keys = {"DD-API-KEY": API_KEY, "DD-APPLICATION-KEY": APP_KEY}
    answer = case.call(base_url=url, session=session, headers=keys, timeout=TIMEOUT)
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_the_document_is_kept(whole: tuple[str, requests.Session], label: str) -> None:
    """As `schema.parametrize()` would have it, but for two things: workers can tell the tests apart by their ids, and
    what an operation is tried with is made up by the worker that runs it, not by each that collects."""
    test = build_operation_test(
        config=schema.config,
        operation=OPERATIONS[label],
        test_func=keeps_the_document,
        given_kwargs={},
        feedback=FeedbackSources(),
    )
    test(whole=whole)
