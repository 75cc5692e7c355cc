"""An experiment as its author wrote it: YAML (JSON is YAML too) to `Experiment`; errors name the place."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from paretofarm.errors import ConfigError
from paretofarm.experiment import Experiment, parse_experiment
from paretofarm.table_settings import TableSource

LARGEST_BYTES = 1_000_000

Part = TypeVar("Part")


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment as the user wrote it (`source`, verbatim) and as it was understood."""

    path: Path
    source: str
    experiment: Experiment


def read_experiment(source: str, path: Path, *, as_json: bool = False) -> ExperimentFile:
    """The experiment that a text describes. Relative paths count from the current folder, as in a shell.

    path: what errors call the text. as_json: JSON is nearly YAML, but its numbers are read otherwise.
    Errors: ConfigError naming the path and the line and column, or the key, that is wrong.
    """
    document = _parse_json(source, path) if as_json else _parse(source, path)
    return ExperimentFile(path, source, _with_absolute_paths(parse_experiment(document, str(path))))


def _parse(source: str, path: Path) -> dict[str, Any]:
    try:
        document = yaml.load(source, _StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{place}: {error.problem or error.context or 'not YAML'}") from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{path}: not YAML: character {error.position} is {error.character!r}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    return _checked(document, path)


def _parse_json(source: str, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(source, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {error}") from error
    return _checked(document, path)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key is there twice")
    return document


def _checked(document: Any, path: Path) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: not an experiment file: expected `name:` and the other keys at the top level")
    return document


class _StrictLoader(yaml.SafeLoader):
    """Plain data only; a key that is there twice is an error, since the first would silently be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
                continue
            if key.value in seen:
                problem = f"the key {key.value!r} is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _with_absolute_paths(experiment: Experiment) -> Experiment:
    """Workers have other current folders than the user."""
    training, measurement = _here(experiment.training), _here(experiment.measurement)
    if training is not None and training.dataset is not None:
        dataset = training.dataset.model_copy(update={"path": _absolute(training.dataset.path)})
        training = training.model_copy(update={"dataset": dataset})
    return experiment.model_copy(update={"training": training, "measurement": measurement})


def _here(part: Part) -> Part:
    """The same part of an experiment; the path of its table, where it has one, made absolute."""
    if not isinstance(part, TableSource):
        return part
    return part.model_copy(update={"table": _absolute(part.table)})


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()
