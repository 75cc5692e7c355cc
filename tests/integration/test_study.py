"""`paretofarm study proxies`: which searches it starts, and what it makes of them once they are over."""

import json
from pathlib import Path

import pytest
from cli_results import done
from sqlalchemy.orm import Session
from test_cli_start import own_database, run, write_experiment

from db import candidates, experiments
from db.report import EpochMetrics, Report
from db.session import Database
from paretofarm.algorithms import Listed, Proposal
from paretofarm.algorithms.port import Origin
from paretofarm.lifecycle import CandidateStatus, Stage, Step, Verdict
from paretofarm.training import SegmentationTraining

__all__ = ["own_database"]

OPTIONS = ("--networks", 4, "--full", 8, "--proxy", "epochs=1", "--proxy", "epochs=2,share=0.5")
RESULTS = {
    "faces-demo-study-e1": ([0.1, 0.3, 0.2, 0.4], 1.0),
    "faces-demo-study-e2-s50": ([0.4, 0.3, 0.2, 0.1], 2.0),
    "faces-demo-study-e8": ([0.5, 0.6, 0.7, 0.8], 10.0),
}


def train(session: Session, name: str, values: list[float], epoch_s: float) -> None:
    """Its first networks are trained and it is over."""
    search = experiments.find(session, name)
    assert isinstance(search.experiment.algorithm, Listed)
    networks = search.experiment.algorithm.architectures[: len(values)]
    ids = candidates.propose(session, search.id, [Proposal(network, Origin.LISTED) for network in networks])
    for candidate_id, value in zip(ids, values, strict=True):
        done(session, candidate_id, Step(Stage.BUILD), Report({"parameters": 10.0}))
        training = Step(Stage.TRAIN, rung=0)
        candidates.queue(session, candidate_id, [training])
        epochs = [EpochMetrics(1, 1.0, epoch_s, {"miou": value})]
        done(session, candidate_id, training, Report({"miou": value}, epochs=epochs))
        candidates.finish(session, candidate_id, Verdict(CandidateStatus.COMPLETE))
    experiments.finish(session, search.id)


def test_it_starts_a_search_for_each_way_over_the_same_networks(own_database: Database, tmp_path: Path) -> None:
    said = run("study", "proxies", write_experiment(tmp_path), *OPTIONS)
    assert said.exit_code == 0, said.stderr
    assert said.stderr.endswith("the same command with --wait prints the result\n")
    with own_database.transaction() as session:
        stored = {search.name: search.experiment for search in experiments.list_experiments(session)}
    assert set(stored) == set(RESULTS)
    trainings = [experiment.training for experiment in stored.values()]
    assert [
        (training.epochs, training.share) for training in trainings if isinstance(training, SegmentationTraining)
    ] == [((1,), 1.0), ((2,), 0.5), ((8,), 1.0)]
    assert len({experiment.algorithm.model_dump_json() for experiment in stored.values()}) == 1
    assert all(experiment.stop.candidates == 4 for experiment in stored.values())


def test_the_same_command_prints_what_each_is_worth_once_all_are_over(own_database: Database, tmp_path: Path) -> None:
    file, picture = write_experiment(tmp_path), tmp_path / "proxies.png"
    run("study", "proxies", file, *OPTIONS)
    with own_database.transaction() as session:
        for name, (values, epoch_s) in RESULTS.items():
            train(session, name, values, epoch_s)
    said = run("study", "proxies", file, *OPTIONS, "--wait", "--json", "--plot", picture)
    assert said.exit_code == 0, said.stderr
    one, two = json.loads(said.stdout)["proxies"]
    assert (one["proxy"]["epochs"], one["tau"], one["cost"]) == (1, pytest.approx(2 / 3), pytest.approx(0.1))
    assert (two["proxy"]["share"], two["tau"], two["cost"]) == (0.5, -1.0, pytest.approx(0.2))
    assert picture.stat().st_size > 10_000
    table = run("study", "proxies", file, *OPTIONS, "--wait").stdout
    assert "0.67" in table and "10.0%" in table


def test_what_is_no_proxy_is_said_in_one_line(own_database: Database, tmp_path: Path) -> None:
    file = write_experiment(tmp_path)
    for text in ("epoch=1", "epochs=0", "epochs=1,share=2", "epochs=1,size=20", "epochs"):
        said = run("study", "proxies", file, "--proxy", text)
        assert (said.exit_code, said.stdout, said.stderr.count("\n")) == (2, "", 1)
        assert "--proxy" in said.stderr
    same = run("study", "proxies", file, "--full", 2, "--proxy", "epochs=2")
    assert (same.exit_code, "is the full training itself" in same.stderr) == (2, True)
