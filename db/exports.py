"""What of a candidate leaves the farm: which artifacts under which names, and the facts that go with them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import detail, events, experiments
from db.artifact import CandidateArtifact
from db.detail import CandidateDetail
from db.events import EventKind
from db.tables import NOW, CandidateRow, ExperimentRow
from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment
from paretofarm.export import ExportFacts, NetworkFile
from paretofarm.lifecycle import Stage
from paretofarm.spaces.network_space import NetworkSpace

UNTRAINED, TRAINED = "onnx", "trained_onnx"
TRAINED_COMPILED, COMPILED = "trained_network", "network"
ONNX_RUNTIME = "onnxruntime 1.20 or newer"
SUFFIXES: Mapping[str, str] = {"onnxruntime": ".onnx"}
"""Of compiled networks, by runtime; others are bundles."""
BUNDLE = ".zip"


@dataclass(frozen=True)
class Export:
    """artifacts: by file name. An export is complete with the texts that `paretofarm.export` makes of `facts`."""

    candidate_id: int
    experiment: Experiment
    facts: ExportFacts
    artifacts: Mapping[str, CandidateArtifact]

    @property
    def name(self) -> str:
        """A name for its folder."""
        return f"{self.facts.search}-{self.facts.candidate}"

    def lacks_int8(self) -> bool:
        """Whether it was trained, but never compiled with its trained weights."""
        compiled = any(network.trained and network.precision != "fp32" for network in self.facts.networks)
        return TRAINED in {artifact.kind for artifact in self.artifacts.values()} and not compiled

    def with_network(self, network: NetworkFile) -> "Export":
        """One more network, which the caller has made."""
        networks = (*self.facts.networks, network)
        return replace(self, facts=replace(self.facts, networks=networks))


def prepare(session: Session, candidate_id: int) -> Export:
    """Errors: NotFound; ConfigError for a candidate of which no network was kept."""
    found = detail.candidate(session, candidate_id)
    search = experiments.find(session, found.search)
    artifacts = {name: artifact for name, artifact, _ in _networks(found, search.experiment)}
    if not artifacts:
        reason = f": {found.reason}" if found.reason else ""
        raise ConfigError(f"candidate {candidate_id} has no network to export, it is {found.status}{reason}")
    return Export(candidate_id, search.experiment, _facts(session, found, search.experiment), artifacts)


def mark(session: Session, candidate_id: int) -> None:
    """Remembers that somebody uses the candidate's networks: `gc` keeps them from now on."""
    query = update(CandidateRow).where(CandidateRow.id == candidate_id).values(exported_at=NOW)
    experiment_id = session.scalar(query.returning(CandidateRow.experiment_id))
    events.record(session, EventKind.CANDIDATE_EXPORTED, experiment_id=experiment_id, candidate_id=candidate_id)


def _networks(found: CandidateDetail, experiment: Experiment) -> Iterator[tuple[str, CandidateArtifact, NetworkFile]]:
    """Those whose files are there: the float network, and per device class the compiled one, trained where possible."""
    there = [artifact for artifact in found.artifacts if artifact.deleted_at is None]
    kinds = {artifact.kind for artifact in there}
    for artifact in there:
        if artifact.kind == TRAINED or (artifact.kind == UNTRAINED and TRAINED not in kinds):
            name = "network.fp32.onnx" if artifact.kind == TRAINED else "network.untrained.onnx"
            yield name, artifact, NetworkFile(name, "fp32", None, ONNX_RUNTIME, artifact.kind == TRAINED)
        elif artifact.kind == TRAINED_COMPILED or (artifact.kind == COMPILED and TRAINED not in kinds):
            yield _compiled(artifact, found, experiment)


def _compiled(
    artifact: CandidateArtifact, found: CandidateDetail, experiment: Experiment
) -> tuple[str, CandidateArtifact, NetworkFile]:
    settings = experiment.measurement
    assert settings is not None, "a candidate that was compiled has measurement settings"
    trained = artifact.kind == TRAINED_COMPILED
    precision = getattr(settings, "precision", "compiled")
    middle = precision if trained else f"{precision}.untrained"
    name = f"network.{middle}.{artifact.device}{SUFFIXES.get(settings.runtime, BUNDLE)}"
    notes = _notes(found, artifact.device, trained=trained)
    runs_on = ONNX_RUNTIME if settings.runtime == "onnxruntime" else settings.runtime
    calibration = found.calibrations.get(artifact.device or "") if trained else None
    return name, artifact, NetworkFile(name, precision, artifact.device, runs_on, trained, notes, calibration)


def _notes(found: CandidateDetail, device: str | None, *, trained: bool) -> dict[str, Any]:
    """What its compilation noted down, as far as it is a number or a word."""
    for work in found.evaluations:
        if work.step.stage is Stage.COMPILE and work.step.device == device and (work.step.rung is not None) == trained:
            return {name: value for name, value in work.details.items() if isinstance(value, int | float)}
    return {}


def _facts(session: Session, found: CandidateDetail, experiment: Experiment) -> ExportFacts:
    code_version, seed = session.execute(
        select(ExperimentRow.code_version, ExperimentRow.seed).where(ExperimentRow.name == found.search)
    ).one()
    networks = tuple(network for _, _, network in _networks(found, experiment))
    space = experiment.search_space
    assert isinstance(space, NetworkSpace), "only a space that has networks leaves any to export"
    return ExportFacts(
        search=found.search,
        candidate=found.id,
        digest=found.digest,
        created=str(session.scalar(select(NOW)))[:10],
        code_version=code_version,
        seed=seed,
        architecture=found.architecture.to_dict(),
        metrics=found.metrics,
        intervals=found.intervals,
        noisy_devices=_devices(found, "noisy"),
        simulated_devices=_devices(found, "simulated"),
        networks=networks,
        missing=tuple(_missing(found)),
        task=space.task,
        input_size=space.input_size,
        class_names=_class_names(found),
        per_class=found.per_class,
        recipe=_recipe(experiment),
        measurement=experiment.measurement.model_dump(mode="json") if experiment.measurement else {},
    )


def _recipe(experiment: Experiment) -> dict[str, Any]:
    """The training's settings. Where the data set lay is nobody's business, what it is called may be."""
    if experiment.training is None or experiment.training.dataset is None:
        return {}
    recipe = experiment.training.model_dump(mode="json")
    return {**recipe, "dataset": {**recipe["dataset"], "path": experiment.training.dataset.path.name}}


def _devices(found: CandidateDetail, flag: str) -> Sequence[str]:
    wanted = [
        measured.device
        for measured in found.measurements
        if (measured.simulated if flag == "simulated" else measured.summary.get("noisy"))
    ]
    return tuple(dict.fromkeys(wanted))


def _missing(found: CandidateDetail) -> Iterator[str]:
    for artifact in found.artifacts:
        if artifact.deleted_at is not None and artifact.kind in (TRAINED, TRAINED_COMPILED, COMPILED, UNTRAINED):
            yield f"The {artifact.kind.replace('_', ' ')} was removed from the artifact store on {artifact.deleted_at}."


def _class_names(found: CandidateDetail) -> Sequence[str]:
    """In the order of the output's channels, as the training noted them down."""
    named = [work.details["class_names"] for work in found.evaluations if "class_names" in work.details]
    return tuple(named[-1]) if named else ()
