"""Experiment files: every mistake gives one line that says where."""

from pathlib import Path

import pytest

from cli.experiment_file import read_experiment_file
from paretofarm.errors import ConfigError

VALID = """\
name: demo
seed: 7
search_space: {type: hourglass, input_size: 64, base_channels: [8, 16, 24]}
algorithm: {type: random}
objectives:
  - {name: miou, goal: maximize}
  - {name: latency_ms, goal: minimize, device: virtual}
constraints:
  - {name: parameters, at_most: 5.0e7}
training: {type: segmentation, dataset: {type: face_synthetics, path: data/faces, size: 64}}
measurement: {runtime: onnxruntime}
stop: {candidates: 24}
"""


def complaint(tmp_path: Path, text: str | bytes) -> str:
    """What is said about a file of this content, without its name."""
    path = tmp_path / "demo.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        read_experiment_file(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def test_a_valid_file_is_read_with_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "demo.yaml"
    path.write_text(VALID)
    file = read_experiment_file(path)
    assert file.source == VALID
    assert file.experiment.name == "demo"
    assert file.experiment.training is not None
    assert file.experiment.training.dataset.path == tmp_path / "data/faces"


def test_an_absolute_data_set_path_stays(tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(VALID.replace("data/faces", "/somewhere/faces"))
    training = read_experiment_file(path).experiment.training
    assert training is not None
    assert training.dataset.path == Path("/somewhere/faces")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: No such file or directory"):
        read_experiment_file(tmp_path / "absent.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        read_experiment_file(tmp_path)


def test_syntax_error_names_line_and_column(tmp_path: Path) -> None:
    assert complaint(tmp_path, VALID.replace("seed: 7", "seed: [7")).startswith(":3:13: ")


def test_a_tab_names_line_and_column(tmp_path: Path) -> None:
    assert complaint(tmp_path, "name: demo\n\tseed: 7\n").startswith(":2:1: ")


def test_unknown_key(tmp_path: Path) -> None:
    assert complaint(tmp_path, VALID + "sede: 7\n") == ": sede: unknown key"


def test_duplicate_key_names_line_and_column(tmp_path: Path) -> None:
    assert complaint(tmp_path, VALID + "seed: 8\n") == ":13:1: the key 'seed' is there twice"


def test_duplicate_key_inside(tmp_path: Path) -> None:
    text = VALID.replace("goal: maximize", "goal: maximize, goal: minimize")
    assert complaint(tmp_path, text) == ":6:34: the key 'goal' is there twice"


def test_impossible_constraint(tmp_path: Path) -> None:
    text = VALID.replace("{name: parameters, at_most: 5.0e7}", "{name: miou, at_least: 1.5}")
    assert complaint(tmp_path, text) == ": constraints.0: impossible: miou is never above 1"


def test_wrong_value_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path, VALID.replace("seed: 7", "seed: -7")).startswith(": seed = -7: ")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n", "42"])
def test_something_else_than_keys(tmp_path: Path, text: str) -> None:
    assert complaint(tmp_path, text).startswith(": not an experiment file")


def test_binary_content(tmp_path: Path) -> None:
    assert complaint(tmp_path, b"name: \xff\xfe\n") == ": not UTF-8 text (byte 6)"
    assert complaint(tmp_path, b"name: a\x00b\n").startswith(": not YAML: character")


def test_python_objects_are_refused(tmp_path: Path) -> None:
    assert ":1:7: " in complaint(tmp_path, "name: !!python/object/apply:os.system ['true']\n")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    assert "not an experiment file" in complaint(tmp_path, "#" * 2_000_000)


def test_impossible_date_and_unhashable_key(tmp_path: Path) -> None:
    assert complaint(tmp_path, "name: 2026-99-99\n").startswith(": not YAML")
    assert "unhashable" in complaint(tmp_path, "{[a]: b}\n")


def test_deep_nesting_is_an_error_not_a_crash(tmp_path: Path) -> None:
    assert complaint(tmp_path, "[" * 5000).startswith(": not YAML")
