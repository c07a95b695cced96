"""The intake over a real event store and the real pipeline: rejected events and replay, duplicates, a full disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from intake_launcher import setup
from prometheus_client import CollectorRegistry

from tocsin.errors import NotFound, Unavailable
from tocsin.event import BACKFILL_TAG, Rejected
from tocsin.intake.metrics import IntakeMetrics
from tocsin.intake.processors import InThread
from tocsin.intake.rejected import RejectedEvents
from tocsin.intake.repository import RejectedFilter
from tocsin.intake.request import Request
from tocsin.intake.service import Intake, Receipt
from tocsin.pipeline import Tools, prepare
from tocsin.query import Sql
from tocsin.store.events import EventStore
from tocsin.store.rows import encode_event

NOW = 1_795_000_000_000


class Clock:
    now = NOW

    def __call__(self) -> int:
        self.now += 1
        return self.now


def an_intake(store: EventStore, make=setup) -> Intake:
    intake = Intake(store, [InThread(make)], clock=Clock(), metrics=IntakeMetrics(CollectorRegistry()))
    intake.start()
    return intake


@pytest.fixture
def intake(event_store: EventStore) -> Iterator[Intake]:
    intake = an_intake(event_store)
    yield intake
    intake.stop()


def send(intake: Intake, *bodies: object, at: int = NOW) -> Receipt:
    return intake.submit(Request(orjson.dumps(list(bodies)), at, source="test", tags=("env:prod",))).result(30)


def messages(store: EventStore) -> list[str]:
    return sorted(row["message"] for row in store.query(Sql("SELECT message FROM logs")))


class OldNormaliser:
    """Knows no `new` events yet."""

    def take_failures(self):
        return {}

    def with_values(self, record):
        if isinstance(record.body, dict) and "new" in record.body:
            raise Rejected("unknown_shape", "events of this kind are not known yet")
        return setup_tools().normaliser.with_values(record)


def setup_tools() -> Tools:
    from intake_launcher import RULES

    from tocsin.enrich import Enricher, Places
    from tocsin.match import Matcher
    from tocsin.normalise.normaliser import Normaliser

    return Tools(Normaliser([]), Enricher(Places().place), Matcher(RULES))


def old_setup():
    tools = replace(setup_tools(), normaliser=OldNormaliser())
    return lambda work: prepare(work, tools, encode_event)


def test_what_is_sent_is_searchable_when_it_is_acknowledged(event_store: EventStore, intake: Intake) -> None:
    receipt = send(intake, {"message": "one", "n": 1}, {"message": "two", "n": 2}, at=NOW)
    assert receipt == Receipt(stored=2, rejected=0, duplicates=0)
    rows = event_store.query(Sql("SELECT message, source, tags, ingested_at FROM logs ORDER BY message"))
    assert [row["message"] for row in rows] == ["one", "two"]
    assert rows[0]["source"] == "test"
    assert rows[0]["tags"] == ["env:prod"]
    assert rows[0]["ingested_at"] == intake.newest_ingested_at
    matches = event_store.query(Sql("SELECT `group` AS g, ingested_at FROM matches ORDER BY g"))
    assert [row["g"] for row in matches] == [["1"], ["2"]]
    assert {row["ingested_at"] for row in matches} == {intake.newest_ingested_at}


def test_attributes_named_like_the_column_stay_what_they_are(event_store: EventStore, intake: Intake) -> None:
    body = {"message": "m", "ingested_at": "0000000000.000", "x": {"ingested_at": 0}, "t": '"ingested_at":"0",'}
    send(intake, body)
    [row] = event_store.query(Sql("SELECT document, ingested_at FROM logs"))
    document = orjson.loads(row["document"])
    assert document["ingested_at"] == "0000000000.000"
    assert document["x"] == {"ingested_at": 0}
    assert row["ingested_at"] == intake.newest_ingested_at


def test_after_a_restart_repeated_events_are_known(event_store: EventStore, intake: Intake) -> None:
    send(intake, *({"message": str(n), "timestamp": NOW - n} for n in range(20)))
    again = an_intake(event_store)
    receipt = send(again, *({"message": str(n), "timestamp": NOW - n} for n in range(25)), at=NOW + 5000)
    again.stop()
    assert receipt == Receipt(stored=5, rejected=0, duplicates=20)
    assert again.newest_ingested_at > intake.newest_ingested_at, "also when the clock begins anew"


def test_an_old_file_sent_again_is_known_however_long_ago_it_came(event_store: EventStore) -> None:
    intake = Intake(
        event_store, [InThread(setup)], clock=Clock(), metrics=IntakeMetrics(CollectorRegistry()), recent_capacity=2
    )
    intake.start()
    old = [{"message": f"line {n}", "timestamp": NOW - n * 86_400_000} for n in range(20)]
    file = Request(orjson.dumps(old), NOW, tags=(BACKFILL_TAG,))
    assert intake.submit(file).result(30).stored == 20
    for n in range(10):  # so that the recent ids are others
        send(intake, {"message": f"later {n}", "timestamp": NOW + n})
    again = intake.submit(file).result(30)
    intake.stop()
    assert (again.stored, again.duplicates) == (0, 20)
    assert len(messages(event_store)) == 30


def test_rejected_events_are_listed_with_their_reasons_and_replayed(event_store: EventStore) -> None:
    intake = an_intake(event_store, old_setup)
    rejected = RejectedEvents(event_store, intake, Clock())
    new = [{"new": n, "message": f"new {n}", "timestamp": NOW - n} for n in range(5)]
    assert send(intake, {"message": "old"}, *new, 7) == Receipt(stored=1, rejected=6, duplicates=0)
    found = rejected.list(RejectedFilter())
    assert sorted(event.code for event in found) == ["not_an_object", *["unknown_shape"] * 5]
    asked = rejected.list(RejectedFilter(code="unknown_shape"), limit=2)
    assert [event.reason for event in asked] == ["events of this kind are not known yet"] * 2
    rest = rejected.list(RejectedFilter(code="unknown_shape"), limit=9, after=(asked[-1].received_at, asked[-1].id))
    assert len({event.id for event in [*asked, *rest]}) == 5
    one = rejected.get(asked[0].id)
    assert orjson.loads(one.raw)["message"].startswith("new")
    assert one.context["source"] == "test"
    assert one.received_at == NOW
    with pytest.raises(NotFound):
        rejected.get("none")
    assert intake.kept() == {"stored": 1, "rejected": {"not_an_object": 1, "unknown_shape": 5}}

    still = rejected.replay(RejectedFilter(code="unknown_shape"))
    assert (still.replayed, still.stored, still.rejected) == (5, 0, 5)

    intake.use(setup)
    report = rejected.replay(RejectedFilter(is_replayed=True))
    assert (report.replayed, report.stored, report.rejected, report.duplicates) == (5, 5, 0, 0)
    assert messages(event_store) == ["new 0", "new 1", "new 2", "new 3", "new 4", "old"]
    [row] = event_store.query(Sql("SELECT source, tags FROM logs WHERE message = 'new 3'"))
    assert row == {"source": "test", "tags": ["env:prod"]}
    assert all(event.replayed_at for event in rejected.list(RejectedFilter(code="unknown_shape")))
    assert rejected.list(RejectedFilter(is_replayed=False))[0].code == "not_an_object"
    intake.stop()


def test_a_replay_may_be_repeated_at_any_time(event_store: EventStore) -> None:
    intake = an_intake(event_store, old_setup)
    send(intake, {"new": 1, "message": "m"})  # without a time of its own: it keeps that of its reception
    intake.use(setup)
    rejected = RejectedEvents(event_store, intake, Clock())
    [event] = rejected.list(RejectedFilter())
    assert rejected.replay(RejectedFilter()).stored == 1
    assert rejected.replay(RejectedFilter()).replayed == 0, "it was replayed"
    intake._recent = type(intake._recent)(10)  # long forgotten
    again = rejected.replay(RejectedFilter(ids=(event.id,)))
    assert (again.replayed, again.stored, again.duplicates) == (1, 0, 1)
    assert messages(event_store) == ["m"]
    intake.stop()


def test_an_event_that_is_rejected_again_has_its_new_reason(event_store: EventStore) -> None:
    intake = an_intake(event_store, old_setup)
    send(intake, {"new": 1, "message": "m"})

    def stricter():
        def work(works):
            tools = replace(setup_tools(), normaliser=Strict())
            return prepare(works, tools, encode_event)

        return work

    intake.use(stricter)
    rejected = RejectedEvents(event_store, intake, Clock())
    assert rejected.replay(RejectedFilter()).rejected == 1
    [event] = rejected.list(RejectedFilter())
    assert event.code == "stricter"
    assert event.replayed_at
    intake.stop()


class Strict:
    def take_failures(self):
        return {}

    def with_values(self, record):
        raise Rejected("stricter", "no")


def test_our_own_mistake_rejects_one_event_and_says_so(event_store: EventStore) -> None:
    class Broken:
        def with_values(self, record):
            if record.body["n"] == 1:
                raise KeyError("oops")
            return setup_tools().normaliser.with_values(record)

        def take_failures(self):
            return {}

    def broken():
        return lambda work: prepare(work, replace(setup_tools(), normaliser=Broken()), encode_event)

    intake = an_intake(event_store, broken)
    assert send(intake, {"n": 1}, {"n": 2}) == Receipt(stored=1, rejected=1, duplicates=0)
    [event] = RejectedEvents(event_store, intake, Clock()).list(RejectedFilter())
    assert event.code == "internal_error"
    assert "KeyError" in event.reason
    intake.stop()


FULL_DISK = """
import sys
from pathlib import Path
from intake_launcher import open_store, setup
from test_intake_store import an_intake
from tocsin.errors import Unavailable
from tocsin.intake.request import Request
import orjson, random

data = Path(sys.argv[1])
intake = an_intake(open_store(data), setup)
acknowledged, refused = 0, 0
rng = random.Random(1)
for number in range(4000):
    events = [{"message": rng.randbytes(2000).hex(), "n": number * 50 + n} for n in range(50)]
    try:
        acknowledged += intake.submit(Request(orjson.dumps(events), 5)).result(240).stored
    except Unavailable as error:
        refused += 1
        print("refused", error, flush=True)
        break
(data / "ballast").unlink()
after = intake.submit(Request(orjson.dumps([{"message": "after", "n": -1}]), 5)).result(240).stored
stored = intake.kept()["stored"]
print("counts", acknowledged, refused, after, stored, flush=True)
intake.stop()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system can only be mounted by root")
def test_a_disk_that_is_full_is_told_and_recovered_from(tmp_path: Path) -> None:
    data = tmp_path / "small"
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", str(data)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small file system here: {mounted.stderr.decode().strip()}")
    try:
        (data / "ballast").write_bytes(bytes(45_000_000))
        found = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(data)],
            capture_output=True,
            text=True,
            timeout=600,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert "counts" in found.stdout, found.stdout[-2000:] + found.stderr[-2000:]
        acknowledged, refused, after, stored = map(int, found.stdout.split("counts ")[1].split())
        assert refused == 1
        assert "full" in found.stdout
        assert acknowledged > 0
        assert after == 1
        # Of the refused request some partitions may be stored; of the acknowledged ones none may be missing.
        assert acknowledged + after <= stored <= acknowledged + after + 50
    finally:
        subprocess.run(["umount", str(data)], check=True)


def test_a_store_that_is_closed_is_unavailable(event_store: EventStore) -> None:
    intake = an_intake(event_store)
    event_store.close()
    with pytest.raises(Unavailable):
        send(intake, {"message": "m"})
    intake.stop()
