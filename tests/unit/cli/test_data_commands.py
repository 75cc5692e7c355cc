"""`paretofarm data`: what it writes and says."""

from pathlib import Path

from click.testing import CliRunner

from cli.main import main


def test_brain_names_the_owner_of_the_atlas_and_where_the_terms_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["data", "brain", "--out", str(tmp_path / "brain")], catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert f"{tmp_path / 'brain'}: 416 slices of the ICBM 152 atlas\n" in result.stderr
    assert "Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neur" in result.stderr
    assert f"McGill University; its terms: {tmp_path / 'brain' / 'ATTRIBUTION.txt'}\n" in result.stderr


def test_faces_beyond_those_that_were_asked_for_are_mentioned(tmp_path: Path) -> None:
    def faces(count: int) -> str:
        arguments = ["data", "faces", "--count", str(count), "--size", "16", "--out", str(tmp_path / "faces")]
        return CliRunner().invoke(main, arguments, catch_exceptions=False).stderr

    assert faces(4) == f"{tmp_path / 'faces'}: 4 faces of 16x16 pixels, seed 7\n"
    assert faces(2).endswith("the folder holds 4, and a search trains on all of them: say `limit: 2` there\n")
