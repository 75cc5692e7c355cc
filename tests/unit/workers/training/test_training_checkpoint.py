from pathlib import Path

import pytest
import torch

from paretofarm.errors import ArtifactMissing
from workers.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

CPU = torch.device("cpu")


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = Checkpoint(3, 7, {"weight": torch.arange(4.0)}, {"state": {}, "param_groups": []}, {})
    save_checkpoint(saved, tmp_path / "checkpoint.pt")
    loaded = load_checkpoint(tmp_path / "checkpoint.pt", CPU)
    assert (loaded.epoch, loaded.seed) == (3, 7)
    torch.testing.assert_close(loaded.network["weight"], torch.arange(4.0))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(Checkpoint(1, 1, {"weight": torch.zeros(1000)}, {}, {}), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ArtifactMissing, match=r"checkpoint\.pt: not a readable checkpoint"):
        load_checkpoint(path, CPU)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"absent\.pt"):
        load_checkpoint(tmp_path / "absent.pt", CPU)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    path, witness = tmp_path / "evil.pt", tmp_path / "witness"
    torch.save({"format": 1, "epoch": _Touch(str(witness))}, path)
    with pytest.raises(ArtifactMissing):
        load_checkpoint(path, CPU)
    assert not witness.exists()


class _Touch:
    """Unpickling it creates a file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self._path, "w")
