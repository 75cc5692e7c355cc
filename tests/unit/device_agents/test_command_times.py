"""Times in runners' outputs, in the forms that LiteRT and ExecuTorch print, and in CSV and JSON."""

from pathlib import Path

import pytest
import yaml

from device_agents.runtimes.command_times import read_times
from paretofarm.commands import Times, parse_commands
from paretofarm.errors import RunnerFailed

ROOT = Path(__file__).parents[3]
COMMANDS = parse_commands(yaml.safe_load((ROOT / "examples/commands/commands.yaml").read_text()), "commands.yaml")
LITERT = """INFO: STARTING!
INFO: Num threads: [1]
INFO: Graph: [/data/local/tmp/network.tflite]
INFO: Loaded model /data/local/tmp/network.tflite
INFO: Initialized session in 4.521ms.
INFO: Running benchmark for at least 20 iterations and at least 0 seconds but terminate if exceeding 150 seconds.
INFO: count=20 first=38234 curr=37211 min=36904 max=38234 avg=37356 std=331 p5=36904 median=37301 p95=38234

INFO: Running benchmark for at least 100 iterations and at least 0 seconds but terminate if exceeding 150 seconds.
INFO: count=100 first=37312 curr=37198 min=36888 max=39801 avg=3.72341e+04 std=402 p5=36911 median=37190 p95=38010

INFO: Inference timings in us: Init: 4521, First inference: 38234, Warmup (avg): 37356, Inference (avg): 3.72341e+04
INFO: Memory footprint delta from the start of the tool (MB): init=4.21094 overall=46.0859
"""
EXECUTORCH = """I 00:00:00.354662 executorch:qnn_executor_runner.cpp:213] Method loaded.
I 00:00:00.357996 executorch:qnn_executor_runner.cpp:265] Inputs prepared.
I 00:00:00.358010 executorch:qnn_executor_runner.cpp:414] Perform 20 inference for warming up
I 00:00:00.421100 executorch:qnn_executor_runner.cpp:420] Start inference (0)
I 00:00:00.748344 executorch:qnn_executor_runner.cpp:437] 100 inference took 327.244000 ms, avg 3.272440 ms
I 00:00:00.750001 executorch:qnn_executor_runner.cpp:470] 1 inference took 327.244000 ms, avg 327.244000 ms
"""


def times(text: str, inferences: int = 4, warmup: int = 2, **how: object) -> tuple[float, ...]:
    return read_times(text, Times.model_validate(how), inferences=inferences, warmup=warmup)


def test_litert_tells_an_average_and_how_long_it_loaded() -> None:
    command = COMMANDS["litert"].time
    assert command.load is not None
    assert read_times(LITERT, command.latency, inferences=100, warmup=20) == (pytest.approx(37.2341),)
    assert read_times(LITERT, command.load, inferences=100, warmup=20) == (pytest.approx(4.521),)


def test_executorch_tells_an_average_of_each_input() -> None:
    first_only = "\n".join(EXECUTORCH.splitlines()[:-1])
    command = COMMANDS["executorch"].time
    assert read_times(first_only, command.latency, inferences=100, warmup=20) == (pytest.approx(3.27244),)


def test_a_regular_expression_finds_each_sample() -> None:
    text = "run 0: 1.5 ms\nrun 1: 2.5 ms\nrun 2: 3.5 ms\n"
    pattern = r"^run \d+: (?P<time>[\d.]+) ms$"
    assert times(text, regex=pattern, unit="ms") == (1.5, 2.5, 3.5)
    assert times(text, regex=pattern, unit="ms", includes_warmup=True) == (3.5,)
    assert times(text, regex=pattern, unit="ms", which="first") == (1.5,)


def test_a_time_of_the_whole_block_is_shared_out() -> None:
    assert times("total 2 s", regex="total (?P<time>\\d+) s", unit="s", of="block") == (500.0,)


def test_a_column_of_a_csv() -> None:
    text = "index, time_us\n0, 1500\n1, 2500\n"
    assert times(text, csv_column="time_us", unit="us") == (1.5, 2.5)
    with pytest.raises(RunnerFailed, match="no column 'us'; it has index, time_us"):
        times(text, csv_column="us", unit="us")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"runs": [{"ns": 1500000}, {"ns": 2500000}]}', "runs.*.ns"),
        ('{"report": {"ns": [1500000, 2500000]}}', "report.ns"),
        ('[{"ns": [1500000, 2500000]}, 3]', "0.ns"),
    ],
)
def test_a_path_in_json(text: str, path: str) -> None:
    assert times(text, json_path=path, unit="ns") == (1.5, 2.5)


@pytest.mark.parametrize(
    ("text", "how", "reason"),
    [
        ("", {"regex": "(?P<time>x)"}, "no time in the runner's output: it says nothing"),
        ("Aborted", {"regex": "(?P<time>x)"}, "no time in the runner's output: Aborted"),
        ("0.0 ms", {"regex": "(?P<time>[\\d.]+) ms"}, "0.0 is no time"),
        ("nan ms", {"regex": "(?P<time>\\w+) ms"}, "nan is no time"),
        ("soon ms", {"regex": "(?P<time>\\w+) ms"}, "'soon' is no time"),
        ("{", {"json_path": "a"}, "is not JSON"),
        ('{"a": 1}', {"json_path": "a.b"}, "has nothing at 'b'"),
        ('{"a": [1]}', {"json_path": "a.7"}, "has nothing at '7'"),
        ('{"a": null}', {"json_path": "a"}, "None is no time"),
    ],
)
def test_what_is_no_time_is_the_runners_fault(text: str, how: dict[str, str], reason: str) -> None:
    with pytest.raises(RunnerFailed, match=reason):
        times(text, unit="ms", **how)
