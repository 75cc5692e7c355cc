"""Phones and workers make themselves known; the first baseline counts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from factories import store_phone

from db import events, phones, workers
from db.phones import PhoneState
from db.session import Database
from db.workers import WorkerFacts
from paretofarm.errors import NotFound, Unavailable


def test_phone_that_comes_back_keeps_its_id(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session, serial="S1", soc="sm8550")
        phones.set_state(session, phone_id, PhoneState.OFFLINE, "unplugged")
        assert store_phone(session, serial="S1", soc="sm8550", address="10.0.0.7:5555") == phone_id
        [phone] = phones.list_phones(session)
        assert (phone.facts.address, phone.facts.soc, phone.state) == ("10.0.0.7:5555", "sm8550", PhoneState.READY)
        assert phone.state_reason is None


def test_only_changes_of_state_are_events(database: Database) -> None:
    with database.transaction() as session:
        phone_id = store_phone(session)
        for reason in ("unplugged", "unplugged", "dead"):
            phones.set_state(session, phone_id, PhoneState.OFFLINE, reason)
        changes = [event.details["reason"] for event in events.tail(session) if event.kind == "phone_changed"]
        assert changes == ["unplugged", "dead"]
        with pytest.raises(NotFound, match="no phone 12345"):
            phones.set_state(session, 12345, PhoneState.READY)


def test_first_baseline_counts_for_everybody(database: Database) -> None:
    with database.transaction() as session:
        assert phones.baseline(session, "sm8550", "a" * 64, "1/int8") is None

    def store(value: float) -> float:
        with database.transaction() as session:
            return phones.store_baseline(session, "sm8550", "a" * 64, "1/int8", value)

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(store, [float(value) for value in range(1, 9)]))
    assert len(seen) == 1
    with database.transaction() as session:
        assert phones.baseline(session, "sm8550", "a" * 64, "1/int8") in seen
        assert phones.baseline(session, "sm8550", "a" * 64, "2/int8") is None


def test_worker_announces_itself_and_gives_signs_of_life(database: Database) -> None:
    facts = WorkerFacts("here-1", "worker", "here", 1, ("build", "train"), "0.1", {"gpu": None})
    with database.transaction() as session:
        workers.register(session, facts)
        workers.register(session, facts)
    with database.transaction(durable=False) as session:
        workers.heartbeat(session, "here-1")
        [worker] = workers.list_workers(session)
        assert worker.facts == facts
        assert 0 <= worker.heartbeat_age_s < 60


def test_two_phones_of_one_serial_number_are_two_rows(database: Database) -> None:
    def attach(mark: str, address: str, agent: str) -> int:
        with database.transaction() as session:
            facts = phones.PhoneFacts("0123", "sm8550", address, False, properties={"mark": mark})
            phone_id = phones.register(session, facts, agent=agent)
            workers.register(session, WorkerFacts(agent, "agent", "here", 1, (), "0.1"))
            return phone_id

    first, second = attach("1" * 32, "usb:1-1", "a"), attach("2" * 32, "usb:1-2", "b")
    assert first != second
    with pytest.raises(Unavailable, match="0123 is in use by a at usb:1-1"):
        attach("1" * 32, "192.0.2.7:5555", "c")
    with database.transaction() as session:
        workers.retire(session, "a")
    assert attach("1" * 32, "192.0.2.7:5555", "c") == first
    with database.transaction() as session:
        assert [phone.facts.serial for phone in phones.list_phones(session)] == ["0123", "0123~22222222"]
