"""One factory per thing that tests need: sensible defaults, everything overridable."""

from itertools import count
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from db import candidates, experiments, leases, phones
from db.claim import Claim
from db.experiments import StoredExperiment
from db.phones import PhoneFacts
from db.report import MeasurementRecord
from paretofarm.algorithms.port import Origin, Proposal
from paretofarm.architecture import Architecture
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.latency import Block, summarise

_numbers = count(1)

DOCUMENT: dict[str, Any] = {
    "name": "demo",
    "seed": 7,
    "search_space": {"type": "hourglass", "input_size": 64, "base_channels": [8, 16, 24]},
    "algorithm": {"type": "random"},
    "objectives": [
        {"name": "miou", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize", "device": "virtual"},
    ],
    "constraints": [{"name": "parameters", "at_most": 5.0e7}],
    "training": {"type": "segmentation", "dataset": {"type": "face_synthetics", "path": "data/faces", "size": 64}},
    "measurement": {"runtime": "onnxruntime"},
    "stop": {"candidates": 24},
}


def make_experiment(**overrides: Any) -> Experiment:
    """A search for accurate and fast networks on one device class; `overrides` replace keys of its file."""
    return parse_experiment({**DOCUMENT, **overrides}, "a test")


def make_architecture(**choices: Any) -> Architecture:
    """An architecture like no other, unless choices are given."""
    return Architecture("test", choices or {"serial": next(_numbers)})


def make_proposal(architecture: Architecture | None = None, **values: Any) -> Proposal:
    return Proposal(architecture or make_architecture(), values.get("origin", Origin.RANDOM), values.get("parents", ()))


def store_experiment(session: Session, **overrides: Any) -> StoredExperiment:
    """A stored search; its name is new unless given."""
    experiment = make_experiment(**{"name": f"search-{next(_numbers)}", **overrides})
    experiment_id = experiments.create(session, experiment, source="name: demo\n", code_version="test")
    return experiments.get(session, experiment_id)


def store_candidates(session: Session, experiment_id: int, number: int = 1) -> list[int]:
    """Ids of newly proposed candidates, each with a queued build."""
    return candidates.propose(session, experiment_id, [make_proposal() for _ in range(number)])


def claim_first(session: Session, evaluation_id: int, **values: Any) -> Claim:
    """The claim of an evaluation that nobody had before."""
    claim = leases.claim(session, evaluation_id, 1, **{"owner": "tester", "lease_s": 60.0, **values})
    assert claim is not None
    return claim


def store_phone(session: Session, **values: Any) -> int:
    """Id of a newly registered virtual phone."""
    serial = f"virtual-{next(_numbers)}"
    facts = {"serial": serial, "device": "virtual", "address": "127.0.0.1:5555", "simulated": True, **values}
    return phones.register(session, PhoneFacts(**facts), agent="tester")


def make_measurement(phone_id: int, *, latency_ms: float = 3.0, simulated: bool = True) -> MeasurementRecord:
    """Three blocks of steady samples around `latency_ms`."""
    noise = np.random.default_rng(0).normal(1.0, 0.01, size=(3, 10))
    blocks = [Block((1.0, 1.0, 1.0), tuple((latency_ms * row).tolist()), (1.0, 1.0, 1.0)) for row in noise]
    return MeasurementRecord(
        phone_id=phone_id,
        network_sha256="a" * 64,
        runtime="onnxruntime",
        protocol=1,
        blocks=blocks,
        summary=summarise(blocks, baseline_ms=1.0),
        conditions={"battery_level": 80},
        simulated=simulated,
    )
