"""A few images of the test split, with what the picked networks make of them, where this host has what that takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from db.artifact import CandidateArtifact
from db.artifacts import ArtifactStore
from db.dossier import Dossier, Network
from paretofarm.apart import apart, of_each_class
from paretofarm.errors import ParetofarmError
from paretofarm.experiment import Experiment
from paretofarm.labelled_images import LabelledImages, decode
from paretofarm.one_line import one_line
from paretofarm.picks import Pick
from paretofarm.task import Task

IMAGES = {Task.SEGMENTATION: 4, Task.CLASSIFICATION: 12}
TEST_SET, QUANTIZED, TRAINED = "test_set", "trained_network", "trained_onnx"
"""Kinds of artifacts."""

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sample:
    """image uint8 [3, H, W]; truth and predictions: class ids [H, W], [1, 1] of a classification."""

    image: npt.NDArray[np.uint8]
    truth: Mask
    predictions: Mapping[Pick, Mask]


@dataclass(frozen=True)
class Samples:
    """quantized: whether those are of the quantized networks, run on this host. of: images that were chosen among."""

    samples: tuple[Sample, ...]
    class_names: tuple[str, ...]
    ignore_index: int
    quantized: bool
    of: int
    task: Task


class _Missing(ParetofarmError):
    """Something that it takes is not here."""


def read_samples(dossier: Dossier, store: ArtifactStore, cache: Path) -> Samples | str:
    """The sentence why there are none, where that is so. cache: folder of decoded data sets."""
    try:
        return _read(dossier, store, cache)
    except ImportError as error:
        return f"There are no sample images: {error.name} is not installed where this was written."
    except (ParetofarmError, OSError) as error:
        return f"There are no sample images: {one_line(str(error))}."


def _read(dossier: Dossier, store: ArtifactStore, cache: Path) -> Samples:
    experiment = dossier.told.search.experiment
    picked = {pick: network for pick in dossier.picks if (network := dossier.network(pick)) is not None}
    quantized = experiment.measurement is not None and experiment.measurement.runtime == "onnxruntime"
    quantized = quantized and all(QUANTIZED in network.artifacts for network in picked.values())
    networks = {pick: store.fetch(_trained(network, quantized)) for pick, network in picked.items()}
    labelled = _test_images(experiment, list(picked.values()), store, cache)
    chosen = shown_images(labelled)
    predictions = {pick: list(_predictions(path, labelled, chosen)) for pick, path in networks.items()}
    samples = tuple(
        Sample(labelled.images[index], labelled.labels[index], {pick: masks[i] for pick, masks in predictions.items()})
        for i, index in enumerate(chosen)
    )
    return Samples(samples, labelled.class_names, labelled.ignore_index, quantized, len(labelled), labelled.task)


def shown_images(labelled: LabelledImages) -> list[int]:
    """Indices of the images to show, evenly apart, of a classification over the classes."""
    wanted, classified = IMAGES[labelled.task], labelled.task is Task.CLASSIFICATION
    chosen = of_each_class(labelled.labels.ravel(), wanted) if classified else apart(len(labelled), wanted)
    return [int(index) for index in chosen]


def _trained(network: Network, quantized: bool) -> CandidateArtifact:
    kind = QUANTIZED if quantized else TRAINED
    if kind not in network.artifacts:
        raise _Missing(f"no trained network of candidate {network.id} was kept")
    return network.artifacts[kind]


def _test_images(experiment: Experiment, networks: list[Network], store: ArtifactStore, cache: Path) -> LabelledImages:
    """Those that networks were scored on; else those of the data set."""
    kept = [network.artifacts[TEST_SET] for network in networks if TEST_SET in network.artifacts]
    if kept:
        return decode(store.fetch(kept[0]).read_bytes())
    training = experiment.training
    if training is None or training.dataset is None:
        raise _Missing("the search has no data set")
    from workers.datasets import Split, open_dataset

    dataset = open_dataset(training.dataset, cache)
    split = dataset.splits[Split.TEST]
    images = split.images.transpose(0, 3, 1, 2)
    return LabelledImages(dataset.class_names, dataset.ignore_index, images, split.masks, dataset.task)


def _predictions(network: Path, labelled: LabelledImages, indices: list[int]) -> Iterator[Mask]:
    from workers.session import OnnxRuntimeErrors, infer, open_session

    try:
        session = open_session(network)
        for index in indices:
            yield infer(session, labelled.inputs(index, index + 1))[0].argmax(axis=0).astype(np.uint8)
    except OnnxRuntimeErrors as error:
        raise _Missing(f"onnxruntime cannot run {network.name}: {error}") from error
