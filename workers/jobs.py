"""What can be asked of an isolated process, with plain JSON in and out.

The table `JOBS` is fixed: nothing is imported by a name that comes from outside.
Every job is a function of (parameters, emit); `emit` sends a message to whoever waits for the job.
"""

import functools
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from paretofarm.architecture import Architecture
from paretofarm.dataset import DatasetSettings
from paretofarm.errors import ConfigError
from paretofarm.labelled_images import encode
from paretofarm.objective import Constraint, violation
from paretofarm.runtimes import MeasurementSettings
from paretofarm.spaces import SearchSpaceSettings
from paretofarm.task import Task
from paretofarm.training import NetworkTraining, TrainingSettings
from workers.calibration_images import calibration_images, noise
from workers.datasets import Dataset, Split, class_names, open_dataset
from workers.export import export_onnx, verify_onnx
from workers.isolation.child import Emit, Job
from workers.memory import out_of_memory_named
from workers.networks import build_network, count_activations, count_macs, count_parameters
from workers.scored_images import float_scores, scored_images
from workers.toolchains import HeldOut, toolchain
from workers.toolchains.held_out import Progress, part
from workers.training import EpochMetrics, train
from workers.training.batches import share_of
from workers.training.checkpoint import load_trained

Parameters = Mapping[str, Any]

PROGRESS_EVERY_S = 1.0
COMPARED_IMAGES: Mapping[Task, int] = MappingProxyType({Task.SEGMENTATION: 200, Task.CLASSIFICATION: 1000})
"""Of the validation split, to compare calibrations on: one class tells less than a mask, and small images cost less."""
FLOAT_BYTES, HALF_BYTES = 4, 2
COMPILED = 0.8
"""Share of the work on a trained network, as progress is told; the rest is its scores in float32."""


def warm_up() -> None:
    """Pays once for what every job would pay for: imports, and the first export, which takes seconds."""
    torch.set_num_threads(1)
    tiny = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2))
    with tempfile.TemporaryDirectory() as folder:
        export_onnx(tiny, (1, 3, 16, 16), Path(folder, "tiny.onnx"))


def build(parameters: Parameters, emit: Emit) -> dict[str, Any]:
    """An architecture becomes an ONNX network with random weights.

    In: space, architecture, dataset (None: no classes to tell apart, one output), constraints, seed, out (folder).
    Out: metrics (parameters, macs), onnx (path; None where a constraint on these is broken, so that nobody needs it).
    Errors: `ArchitectureError`, `BuildFailed`, `OutOfMemory`, `DataError` (the data set's classes cannot be read).
    """
    space = _parse(SearchSpaceSettings, parameters["space"])
    network = _network(space, parameters, _classes(parameters))
    shape = (1, 3, space.input_size, space.input_size)
    metrics = {"parameters": float(count_parameters(network)), "macs": float(count_macs(network, shape))}
    if violation(_parse(tuple[Constraint, ...], parameters["constraints"]), metrics):
        return {"metrics": metrics, "onnx": None}
    path = Path(parameters["out"], "network.onnx")
    export_onnx(network, shape, path)
    verify_onnx(network, path, shape)
    return {"metrics": metrics, "onnx": str(path)}


def compile_network(parameters: Parameters, emit: Emit) -> dict[str, Any]:
    """An ONNX network becomes what a phone of a device class runs.

    In: onnx (path), measurement, device (class), dataset (None: calibrated on noise, good for latency only), cache,
    out (folders). Out: network (path), reference (path or None), metrics (network_bytes), notes.
    Errors: `ConversionFailed`, `NotDeployable`, `DataError`.
    """
    return _compile(parameters)


def compile_trained(parameters: Parameters, emit: Emit) -> dict[str, Any]:
    """A trained network becomes what a phone is measured and scored with, and the images that it is scored on.

    In: as `compile_network`, dataset not None. Out: what that gives, and test_set (path; `paretofarm.labelled_images`).
    Among the notes are calibration (`paretofarm.calibration.CalibrationResult`, where the runtime can choose: on the
    validation split) and float_scores (by name: what the network scores on the test set before it is quantized).
    Emits progress as `train_network` does. Errors: `ConversionFailed`, `NotDeployable`, `DataError`.
    """
    settings, progress = _parse(MeasurementSettings, parameters["measurement"]), _Progress(emit)
    compiled = _compile(parameters, part(progress, 0, COMPILED))
    labelled = scored_images(_dataset(parameters), settings.test_images)
    scores = float_scores(Path(parameters["onnx"]), labelled, part(progress, COMPILED, 1))
    test_set = Path(parameters["out"], "test_set")
    with test_set.open("wb") as file:
        file.writelines(encode(labelled))
    notes = {
        **compiled["notes"],
        **compiled["metrics"],
        "float_scores": scores.overall(labelled.task),
        "test_images": len(labelled),
    }
    return {**compiled, "test_set": str(test_set), "notes": notes}


def _compile(parameters: Parameters, compared: Progress | None = None) -> dict[str, Any]:
    """compared: given where calibrations are to be compared; hears of its progress."""
    settings = _parse(MeasurementSettings, parameters["measurement"])
    source, held_out = Path(parameters["onnx"]), None
    if parameters["dataset"] is None:
        images = noise(source, settings.calibration_images)
    else:
        dataset = _dataset(parameters)
        images = calibration_images(dataset, settings.calibration_images)
        if compared is not None:
            held_out = HeldOut(scored_images(dataset, COMPARED_IMAGES[dataset.task], Split.VALIDATION), compared)
    compiler = toolchain(settings, os.environ, Path(parameters["cache"]))
    out = Path(parameters["out"], "compiled")
    compiled = compiler.compile(source, images, parameters["device"], out, held_out)
    chosen = {} if compiled.calibration is None else {"calibration": compiled.calibration.to_dict()}
    return {
        "network": str(compiled.path),
        "reference": compiled.reference and str(compiled.reference),
        "metrics": dict(compiled.metrics),
        "notes": {**compiled.notes, **chosen},
    }


def train_network(parameters: Parameters, emit: Emit) -> dict[str, Any]:
    """Trains an architecture up to a rung, from a checkpoint or from scratch.

    In: space, architecture, training, seed, rung, checkpoint (path or None), device, cache (folder), out (folder);
    of a GPU that others use too, gpu (its UUID) and memory_share (bytes, None for all that is free); to be taught,
    teacher (architecture) and teacher_checkpoint (path), a network of the same space.
    Out: metrics, per_class, class_names (by channel), epochs (trained in all; fewer than the rung's after an early
    stop), micro_batch (images at a time that fitted into memory), memory (`PeakMemory`; None on a CPU), checkpoint,
    onnx (paths; the trained network).
    Emits `{"type": "progress", "share": …}` about once a second and `{"type": "epoch", "epoch": …, "metrics": …,
    "train_loss": …, "seconds": …, "images": …, "memory": …}` (images: trained on in that epoch).
    Errors: `TrainingDiverged`, `OutOfMemory`, `DataError`, `ArtifactMissing` (checkpoint).
    """
    space = _parse(SearchSpaceSettings, parameters["space"])
    settings = _parse(TrainingSettings, parameters["training"])
    assert isinstance(settings, NetworkTraining), "a network is trained on images"
    dataset = open_dataset(settings.dataset, Path(parameters["cache"]))
    network = _network(space, parameters, len(dataset.class_names))
    out = Path(parameters["out"])
    images = len(share_of(dataset.splits[Split.TRAIN], settings.share))
    result = train(
        network,
        dataset,
        settings,
        epochs_total=settings.epochs[parameters["rung"]],
        seed=parameters["seed"],
        device=_device(parameters["device"], parameters.get("gpu")),
        memory_share=parameters.get("memory_share"),
        resume_from=None if parameters["checkpoint"] is None else Path(parameters["checkpoint"]),
        save_to=out / "checkpoint.pt",
        teacher=_teacher(space, parameters, len(dataset.class_names)),
        on_epoch=lambda epoch: emit(_epoch_message(epoch, images)),
        on_progress=_Progress(emit),
    )
    export_onnx(network.cpu(), (1, 3, space.input_size, space.input_size), out / "trained.onnx")
    return {
        "metrics": dict(result.metrics),
        "per_class": {name: scores and asdict(scores) for name, scores in result.per_class.items()},
        "class_names": list(dataset.class_names),
        "epochs": result.epochs_total,
        "micro_batch": result.micro_batch,
        "memory": result.memory and asdict(result.memory),
        "checkpoint": str(out / "checkpoint.pt"),
        "onnx": str(out / "trained.onnx"),
    }


def footprint(parameters: Parameters, emit: Emit) -> dict[str, Any]:
    """About how much memory a training will need, from shapes alone; by what factor it is wrong has to be measured.

    In: space, architecture, dataset, training. Out: bytes: weights, gradients, the optimizer's two averages and the
    weights' own, and what the layers put out for a batch, logits once more for the loss.
    """
    space = _parse(SearchSpaceSettings, parameters["space"])
    settings = _parse(TrainingSettings, parameters["training"])
    assert isinstance(settings, NetworkTraining), "a network is trained on images"
    classes, shape = _classes(parameters), (1, 3, space.input_size, space.input_size)
    with torch.device("meta"):
        network = build_network(space, Architecture.from_dict(parameters["architecture"]), classes)
    copies = 4 + (settings.ema_decay is not None)
    layers = count_activations(network, shape) * (HALF_BYTES if settings.amp else FLOAT_BYTES)
    logits = classes * (space.input_size**2 if settings.task is Task.SEGMENTATION else 1) * FLOAT_BYTES
    return {"bytes": count_parameters(network) * FLOAT_BYTES * copies + settings.batch_size * (layers + logits)}


def _within_memory(job: Job) -> Job:
    @functools.wraps(job)
    def guarded(parameters: Parameters, emit: Emit) -> Mapping[str, Any]:
        with out_of_memory_named("the network"):
            return job(parameters, emit)

    return guarded


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "build": _within_memory(build),
        "compile": _within_memory(compile_network),
        "compile_trained": _within_memory(compile_trained),
        "train": _within_memory(train_network),
        "footprint": _within_memory(footprint),
    }
)


class _Progress:
    """Emits now and then."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._last = time.monotonic()

    def __call__(self, share: float) -> None:
        if time.monotonic() - self._last >= PROGRESS_EVERY_S:
            self._last = time.monotonic()
            self._emit({"type": "progress", "share": share})


def _epoch_message(epoch: EpochMetrics, images: int) -> dict[str, Any]:
    return {"type": "epoch", **asdict(epoch), "images": images}


def _network(space: SearchSpaceSettings, parameters: Parameters, classes: int) -> nn.Module:
    torch.manual_seed(parameters["seed"])
    return build_network(space, Architecture.from_dict(parameters["architecture"]), classes)


def _teacher(space: SearchSpaceSettings, parameters: Parameters, classes: int) -> nn.Module | None:
    architecture = parameters.get("teacher")
    if architecture is None:
        return None
    teacher = build_network(space, Architecture.from_dict(architecture), classes)
    load_trained(teacher, Path(parameters["teacher_checkpoint"]))
    return teacher


def _device(wanted: str, gpu: str | None = None) -> str:
    """A GPU is of no use to a torch that was built without CUDA. gpu: UUID of the only one to use."""
    if not wanted.startswith("cuda") or torch.version.cuda is None:
        return "cpu"
    if gpu:
        # Read when CUDA begins, which it has not: a process that had begun could not have been forked from. By UUID,
        # since CUDA numbers GPUs in an order of its own; and all others hidden, for a library that merely touches one
        # takes half a gigabyte of it.
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    # Every batch has the same shape, so looking for the fastest algorithms pays.
    torch.backends.cudnn.benchmark = True
    return wanted


def _classes(parameters: Parameters) -> int:
    dataset = parameters["dataset"]
    return 1 if dataset is None else len(class_names(_parse(DatasetSettings, dataset)))


def _dataset(parameters: Parameters) -> Dataset:
    return open_dataset(_parse(DatasetSettings, parameters["dataset"]), Path(parameters["cache"]))


def _parse(kind: Any, document: Any) -> Any:
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        raise ConfigError(f"settings that a job cannot read: {error}") from error
