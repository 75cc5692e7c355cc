"""`onnxruntime_perf_test` on the virtual phone, over the link: real timings in the real tool's format."""

import statistics
from collections.abc import Iterator

import pytest
from one_convolution import network
from phone_processes import start_virtual_phone

from device_agents.link import open_link
from paretofarm.ports import CommandResult, DeviceLink

FOLDER = "/data/local/tmp/job"


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviceLink]:
    folder = tmp_path_factory.mktemp("phone")
    phone = start_virtual_phone(folder / "root")
    link = open_link(phone.address, folder / "adbkey")
    for channels in (8, 64):
        link.push(network(folder / f"{channels}.onnx", channels), f"{FOLDER}/{channels}.onnx")
    (folder / "broken.onnx").write_bytes(b"not a network")
    link.push(folder / "broken.onnx", f"{FOLDER}/broken.onnx")
    yield link
    link.close()
    phone.stop()


def perf_test(link: DeviceLink, *words: str) -> CommandResult:
    return link.run(["onnxruntime_perf_test", *words], timeout_s=60, directory=FOLDER)


def rows(link: DeviceLink, name: str) -> list[list[str]]:
    return [line.split(",") for line in link.pull(f"{FOLDER}/{name}").decode().splitlines() if "," in line]


def test_result_file_has_a_row_for_each_counted_inference(link: DeviceLink) -> None:
    words = ["-m", "times", "-r", "30", "-x", "1", "-y", "1", "-e", "cpu", "-o", "99", "-I", "8.onnx", "times.csv"]
    assert perf_test(link, *words).exit_code == 0
    found = rows(link, "times.csv")
    assert [row[0] for row in found] == ["job"] * 30
    assert [int(row[4]) for row in found] == list(range(30))
    assert all(0 < float(row[1]) < 1 for row in found)


def test_result_file_is_appended_to(link: DeviceLink) -> None:
    for _ in range(2):
        perf_test(link, "-I", "-m", "times", "-r", "3", "8.onnx", "twice.csv")
    assert len(rows(link, "twice.csv")) == 6


def test_summary_and_statistics_read_as_the_original(link: DeviceLink) -> None:
    output = perf_test(link, "-I", "-m", "times", "-r", "5", "-s", "8.onnx", "out.csv").stdout
    for line in ("Session creation time cost: ", "First inference time cost: ", "Average inference time cost: "):
        assert line in output
    assert "Total inference requests: 5\n" in output
    for name in ("Min", "Max", "P50", "P90", "P95", "P99", "P999"):
        assert f"{name} Latency: " in output


def test_duration_mode_runs_for_that_long(link: DeviceLink) -> None:
    assert perf_test(link, "-I", "-m", "duration", "-t", "1", "8.onnx", "long.csv").exit_code == 0
    assert 1.0 <= sum(float(row[1]) for row in rows(link, "long.csv")) < 1.5


def test_bigger_network_is_slower(link: DeviceLink) -> None:
    for name in ("8", "64"):
        perf_test(link, "-I", "-m", "times", "-r", "60", f"{name}.onnx", f"{name}.csv")
    small, big = (statistics.median(float(row[1]) for row in rows(link, f"{name}.csv")) for name in ("8", "64"))
    assert big > 1.5 * small


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-I", "-r", "1", "-m", "times", "broken.onnx", "x.csv"], "Protobuf parsing failed"),
        (["-I", "-r", "1", "-m", "times", "absent.onnx", "x.csv"], "doesn't exist"),
        (["-r", "1", "-m", "times", "8.onnx", "x.csv"], "there is no test data"),
        (["-I", "-e", "qnn", "8.onnx", "x.csv"], "execution provider 'qnn'"),
        (["-I", "-m", "sometimes", "8.onnx", "x.csv"], "invalid choice"),
        (["-I", "-m", "times", "-r", "1", "8.onnx", "no/such/folder/x.csv"], "failed to open result file"),
    ],
)
def test_failure_is_a_clear_line_and_255(link: DeviceLink, words: list[str], complaint: str) -> None:
    result = perf_test(link, *words)
    assert result.exit_code == 255
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
