"""Errors of the event store, as they are told."""

import pytest
from clickhouse_connect.driver.exceptions import OperationalError
from urllib3.connection import HTTPConnection
from urllib3.exceptions import MaxRetryError, NewConnectionError
from urllib3.poolmanager import PoolManager

from tocsin.errors import Unavailable
from tocsin.store.faults import told


def test_a_server_that_cannot_be_reached_is_told_by_its_reason() -> None:
    refused = NewConnectionError(HTTPConnection("ch1", 8123), "Failed to connect: [Errno 111] Connection refused")
    pool = PoolManager().connection_from_host("ch1", 8123)
    tried = MaxRetryError(pool, "/?query_id=5f0e", refused)
    with pytest.raises(Unavailable) as caught, told():
        raise OperationalError(f"Error {tried} executing HTTP request attempt 1 (http://ch1:8123)") from tried
    text = str(caught.value)
    assert text.startswith("the event store does not answer: ")
    assert text.endswith("Failed to connect: [Errno 111] Connection refused")
    assert "ch1" in text and "query_id" not in text


def test_any_other_fault_is_told_by_its_first_line() -> None:
    with pytest.raises(Unavailable, match=r"does not answer: it hung up$"), told():
        raise OperationalError("it hung up\nstack trace")
