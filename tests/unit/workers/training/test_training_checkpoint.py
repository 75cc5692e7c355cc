from pathlib import Path

import pytest
import torch

from paretofarm.errors import ArtifactMissing
from workers.training.checkpoint import FORMAT, Checkpoint, load_checkpoint, load_trained, save_checkpoint

CPU = torch.device("cpu")


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = Checkpoint(3, 7, {"weight": torch.arange(4.0)}, {"state": {}, "param_groups": []}, {})
    save_checkpoint(saved, tmp_path / "checkpoint.pt")
    loaded = load_checkpoint(tmp_path / "checkpoint.pt", CPU)
    assert (loaded.epoch, loaded.seed) == (3, 7)
    torch.testing.assert_close(loaded.network["weight"], torch.arange(4.0))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_of_before_there_were_averages_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    old = {"epoch": 3, "seed": 7, "network": {"weight": torch.arange(4.0)}, "optimizer": {}, "scaler": {}}
    torch.save({"format": 1, **old}, path)
    loaded = load_checkpoint(path, CPU)
    assert (loaded.epoch, loaded.average, loaded.course) == (3, None, ())


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path) -> None:
    torch.save({"format": FORMAT + 1}, tmp_path / "later.pt")
    with pytest.raises(ArtifactMissing, match="another version"):
        load_checkpoint(tmp_path / "later.pt", CPU)


def test_what_was_scored_is_what_is_loaded(tmp_path: Path) -> None:
    path, network = tmp_path / "checkpoint.pt", torch.nn.Conv2d(1, 1, 1, bias=False)
    last, average = ({"weight": torch.full((1, 1, 1, 1), value)} for value in (1.0, 2.0))
    save_checkpoint(Checkpoint(1, 1, last, {}, {}), path)
    load_trained(network, path)
    assert float(network.weight.detach()) == 1.0
    save_checkpoint(Checkpoint(1, 1, last, {}, {}, average), path)
    load_trained(network, path)
    assert float(network.weight.detach()) == 2.0


def test_weights_of_another_network_are_not_loaded(tmp_path: Path) -> None:
    save_checkpoint(Checkpoint(1, 1, {"weight": torch.zeros(3)}, {}, {}), tmp_path / "checkpoint.pt")
    with pytest.raises(ArtifactMissing, match="another network"):
        load_trained(torch.nn.Conv2d(1, 1, 1), tmp_path / "checkpoint.pt")


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
