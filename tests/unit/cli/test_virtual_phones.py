"""The virtual phones of a data folder, and the processes of a farm."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from cli.metrics.address import MetricsAddress
from cli.page_place import PagePlace
from cli.stack_processes import NICE, Crew, phone_addresses, process_specs
from cli.virtual_phones import LOOPBACK, is_virtual, place_phones
from paretofarm.errors import StackError
from paretofarm.settings import Settings

SETTINGS = Settings("postgresql://user:pa55word@host/db", "redis://host", "file:///artifacts", Path("/cache"))


def test_phones_keep_serial_and_port(tmp_path: Path) -> None:
    first = place_phones(tmp_path, 2)
    assert place_phones(tmp_path, 2) == first
    assert place_phones(tmp_path, 3)[:2] == first
    assert len({phone.serial for phone in first}) == 2
    assert [phone.name for phone in first] == ["virtual-1", "virtual-2"]


def test_a_port_that_is_taken_is_given_up_but_the_serial_stays(tmp_path: Path) -> None:
    (before,) = place_phones(tmp_path, 1)
    with socket.create_server((LOOPBACK, before.port)):
        (after,) = place_phones(tmp_path, 1)
    assert after.port != before.port
    assert after.serial == before.serial


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "virtual-1.json").write_text("{")
    assert place_phones(tmp_path, 1)[0].serial.startswith("VIRTUAL")


def test_every_device_class_gets_a_phone(tmp_path: Path) -> None:
    classes = [phone.device_class for phone in place_phones(tmp_path, 1, ("virtual", "virtual-slow"))]
    assert classes == ["virtual", "virtual-slow"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="Not a directory"):
        place_phones(tmp_path / "file" / "phones", 1)


def test_virtual_device_classes() -> None:
    assert [name for name in ("virtual", "virtual-slow", "virtually", "pixel-8") if is_virtual(name)] == [
        "virtual",
        "virtual-slow",
    ]


def test_a_farm_has_a_phone_and_an_agent_each(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=3, phones=2))
    assert [spec.name for spec in specs] == [
        "scheduler",
        "worker",
        "phone-virtual-1",
        "phone-virtual-2",
        "agent-virtual-1",
        "agent-virtual-2",
    ]
    assert specs[1].argv[-2:] == ("--concurrency", "3")
    assert all(spec.nice == (0 if spec.name.startswith("phone") else NICE) for spec in specs)
    assert (tmp_path / "adbkey").exists()
    assert set(phone_addresses(specs)) == {"agent-virtual-1", "agent-virtual-2"}


@pytest.mark.parametrize(("asked", "found"), [([], None), (["--workers", "3"], 3), (["--workers", "0"], 0)])
def test_up_leaves_it_to_the_worker_how_many_trainings_its_gpus_take(
    asked: list[str], found: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    crews: list[Crew] = []
    monkeypatch.setattr("cli.commands.up.run_farm", lambda environment, crew, listen: crews.append(crew))
    CliRunner().invoke(main, ["up", *asked], catch_exceptions=False)
    assert [crew.workers for crew in crews] == [found]


def test_a_worker_that_is_told_nothing_decides_by_its_gpus(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=None, phones=0))
    assert specs[1].argv[-2:] == ("cli", "worker")


def test_secrets_are_in_the_environment_and_never_in_arguments(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=1, phones=1))
    assert not any("pa55word" in word for spec in specs for word in spec.argv)
    assert specs[0].environment["PARETOFARM_DATABASE_URL"] == SETTINGS.database_url


def test_metrics_are_told_on_a_port_of_each_process_the_exporters_first(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=1, phones=1), metrics=MetricsAddress("127.0.0.1", 9464))
    assert {spec.name: spec.environment["PARETOFARM_METRICS"] for spec in specs} == {
        "exporter": "127.0.0.1:9464",
        "scheduler": "127.0.0.1:9465",
        "worker": "127.0.0.1:9466",
        "agent-virtual-1": "127.0.0.1:9467",
        "phone-virtual-1": "",
    }


def test_the_web_page_tells_its_metrics_beside_itself(tmp_path: Path) -> None:
    crew = Crew(workers=0, phones=0, page=PagePlace(8080))
    specs = process_specs(SETTINGS, tmp_path, crew, metrics=MetricsAddress("127.0.0.1", 9464))
    assert [(spec.name, spec.environment["PARETOFARM_METRICS"]) for spec in specs] == [
        ("scheduler", "127.0.0.1:9465"),
        ("dashboard", ""),
        ("exporter", "127.0.0.1:9464"),
    ]
    assert specs[1].argv[-4:] == ("dashboard", "--port", "8080", "--no-auth")


def test_without_metrics_no_process_inherits_an_address(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=1, phones=1))
    assert {spec.environment["PARETOFARM_METRICS"] for spec in specs} == {""}


def test_a_farm_without_workers_or_phones(tmp_path: Path) -> None:
    specs = process_specs(SETTINGS, tmp_path, Crew(workers=0, phones=0))
    assert [spec.name for spec in specs] == ["scheduler"]
    Crew(workers=1, phones=1).check()
