"""Agents stop consuming while their phone is unfit, and a farm that is shut down hands back what it was doing."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path

import pytest
from factories import DOCUMENT
from services import wait_until
from sqlalchemy import select

from cli.local_farm import embedded_farm
from cli.local_stack import embedded_database
from cli.stack_processes import Crew
from db import experiments, phones
from db.events import EventKind
from db.phones import PhoneState
from db.session import Database
from db.tables import EvaluationRow, EventRow, MeasurementRow
from device_agents.virtual_phone.state import change_state
from paretofarm.experiment import parse_experiment
from paretofarm.lifecycle import EvaluationStatus, Stage
from workers.datasets.faces import write_faces

LONG = 10_000


class Farm:
    """A farm with one virtual phone, whose search would take for ever."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._exit = ExitStack()
        environment = {**os.environ, "PARETOFARM_DATA": str(self.data)}
        farm = self._exit.enter_context(embedded_farm(environment, Crew(workers=1, phones=1)))
        self.database = Database(farm.settings.database_url)
        with self.database.transaction() as session:
            experiment = parse_experiment(endless(folder / "faces"), "endless")
            experiments.create(session, experiment, source="", code_version="test")

    def shut_down(self) -> None:
        """Ctrl-C, as it were. May be done twice."""
        self.database.dispose()
        self._exit.close()

    def phone_state(self) -> tuple[PhoneState, str | None]:
        with self.database.transaction() as session:
            listed = phones.list_phones(session)
        return (listed[0].state, listed[0].state_reason) if listed else (PhoneState.OFFLINE, None)

    def is_leased(self, stage: Stage) -> bool:
        query = select(EvaluationRow.id).where(
            EvaluationRow.stage == stage, EvaluationRow.status == EvaluationStatus.LEASED
        )
        with self.database.transaction() as session:
            return bool(session.scalars(query).all())


def endless(faces: Path) -> dict[str, object]:
    """One candidate whose training and measurement take for ever."""
    document = deepcopy(DOCUMENT)
    document["search_space"] |= {"input_size": 32, "downsample_blocks": 3, "hourglasses": [1], "base_channels": [8]}
    document["training"] |= {"epochs": [LONG]}
    document["training"]["dataset"] = {"type": "face_synthetics", "path": str(faces), "size": 32}
    document["measurement"] |= {"min_blocks": 90, "max_blocks": 100, "min_block_s": 1.0, "calibration_images": 4}
    return {**document, "name": "endless", "in_flight": 1, "stop": {"candidates": 1}}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    write_faces(folder / "faces", 100, 32, 1)
    farm = Farm(folder)
    try:
        yield farm
    finally:
        farm.shut_down()


def test_a_hot_phone_takes_no_work_until_it_has_cooled(farm: Farm) -> None:
    root = farm.data / "phones" / "virtual-1"
    wait_until(lambda: farm.phone_state()[0] is PhoneState.READY, 60, "the phone to be registered")
    change_state(root, thermal_status=3)
    wait_until(lambda: farm.phone_state()[0] is PhoneState.COOLING, 20, "the agent to notice the heat")
    assert farm.phone_state()[1] == "thermal status 3: the phone throttles"
    change_state(root, thermal_status=0, battery_level=10)
    wait_until(lambda: "battery" in (farm.phone_state()[1] or ""), 20, "the agent to notice the battery")
    assert not farm.is_leased(Stage.MEASURE)
    change_state(root, battery_level=90)
    wait_until(lambda: farm.is_leased(Stage.MEASURE), 60, "the phone to be measured on")
    assert farm.phone_state() == (PhoneState.READY, None)


def test_a_farm_that_is_shut_down_hands_back_its_work_and_blames_nobody(farm: Farm) -> None:
    wait_until(lambda: farm.is_leased(Stage.TRAIN) and farm.is_leased(Stage.MEASURE), 90, "training and measuring")
    farm.shut_down()
    with embedded_database(farm.data) as url:
        database = Database(url)
        with database.transaction() as session:
            rows = session.execute(
                select(EvaluationRow.stage, EvaluationRow.status, EvaluationRow.attempt, EvaluationRow.failures)
                .where(EvaluationRow.status != EvaluationStatus.DONE)
                .order_by(EvaluationRow.stage)
            ).all()
            handed_back = session.scalars(
                select(EventRow.id).where(EventRow.kind == EventKind.EVALUATION_HANDED_BACK)
            ).all()
            measured = session.scalars(select(MeasurementRow.id)).all()
        database.dispose()
    queued = EvaluationStatus.QUEUED
    assert [tuple(row) for row in rows] == [(Stage.MEASURE, queued, 2, 0), (Stage.TRAIN, queued, 2, 0)]
    assert len(handed_back) == 2
    assert measured == []
