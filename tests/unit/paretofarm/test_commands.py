"""Files of commands: what is accepted, and what the one line says when something is not."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from paretofarm.command_template import fill, gaps
from paretofarm.commands import named_command, parse_commands
from paretofarm.errors import ConfigError

EXAMPLE = Path(__file__).parents[3] / "examples/commands/commands.yaml"
DOCUMENT: dict[str, Any] = {
    "commands": {
        "mine": {
            "convert": {"argv": ["/opt/mine/convert", "{onnx}", "{out}"]},
            "network": "network.bin",
            "files": {"runner": "/opt/mine/runner"},
            "time": {"argv": ["{tools}/runner", "{network}"], "latency": {"regex": "(?P<time>.+) ms", "unit": "ms"}},
            "infer": {"argv": ["{tools}/runner", "{inputs}"], "outputs": "{i}.raw"},
        }
    }
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """DOCUMENT with the value at a dotted path below the command replaced; None removes it."""
    document = deepcopy(DOCUMENT)
    *parents, last = path.split(".")
    place = document["commands"]["mine"]
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


def test_the_example_is_accepted() -> None:
    commands = parse_commands(yaml.safe_load(EXAMPLE.read_text()), EXAMPLE.name)
    assert set(commands) == {"litert", "executorch", "onnxruntime"}


def test_what_is_left_out_has_a_default() -> None:
    command = parse_commands(changed("convert", None), "commands.yaml")["mine"]
    assert command.convert is None
    assert (command.time.reads, command.time.timeout_s, command.time.latency.which) == ("stdout", 600, "all")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("network", "../escape", "commands.mine.network = '../escape': must match"),
        (
            "files",
            {"/bin/runner": "/opt/x"},
            "/bin/runner': must be a path below a folder",
        ),
        ("files", {"../runner": "/opt/x"}, "must be a path below a folder"),
        ("files", {"runner": "runner"}, "commands.mine.files.runner = 'runner': must be an absolute path"),
        ("files", {}, "commands.mine: {tools} is used, and there are no files"),
        ("time.argv", [], "commands.mine.time.argv: must have at least 1"),
        ("time.argv", "runner {network}", "commands.mine.time.argv = 'runner {network}': must be a list"),
        ("time.argv", ["runner", "{netwrk}"], "there is no {netwrk} here; known are network, tools, folder"),
        ("time.argv", ["runner", "{network!r}"], "a gap holds a name and nothing else"),
        ("time.argv", ["runner", "{network.parent}"], "a gap holds a name and nothing else"),
        ("time.argv", ["runner", "{network"], "a brace that is meant is written twice"),
        ("time.argv", ["runner", "{}"], "a gap holds a name and nothing else"),
        ("time.environment", {"A B": "c"}, "commands.mine.time.environment.A B"),
        ("time.environment", {"A": "{inputz}"}, "there is no {inputz} here"),
        ("time.timeout_s", 0, "commands.mine.time.timeout_s = 0: must be more than 0"),
        ("time.reads", "/data/times", "must be a path below a folder"),
        ("time.latency", {"unit": "ms"}, "needs one of regex, csv_column and json_path"),
        ("time.latency", {"regex": "(?P<time>x", "unit": "ms"}, "is no regular expression"),
        ("time.latency", {"regex": "x", "unit": "ms"}, "needs a group (?P<time>…)"),
        ("time.latency", {"csv_column": "t", "unit": "h"}, "commands.mine.time.latency.unit = 'h': must be 's', 'ms'"),
        ("time.expect", "(", "is no regular expression"),
        ("time.shell", True, "commands.mine.time.shell: unknown key"),
        ("infer.argv", ["{tools}/runner"], "argv needs {inputs} or {input}, and not both"),
        ("infer.outputs", "out.raw", "outputs needs {i}, the number of the image"),
        ("infer.outputs", "../{i}.raw", "must be a path below a folder"),
        ("convert.argv", ["/opt/mine/convert", "{onnx}"], "argv needs {out}, and {onnx} or {float_onnx}"),
    ],
)
def test_a_mistake_gets_one_line(path: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_commands(changed(path, value), "commands.yaml")
    assert str(caught.value).startswith("commands.yaml: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("document", [None, [], {"comands": {}}, {"commands": {"Mine": {}}}])
def test_what_is_no_file_of_commands_is_refused(document: Any) -> None:
    with pytest.raises(ConfigError, match=r"^commands.yaml: "):
        parse_commands(document, "commands.yaml")


def test_a_command_that_there_is_not_gets_the_names_of_the_others() -> None:
    commands = parse_commands(DOCUMENT, "commands.yaml")
    assert named_command(commands, "mine", "commands.yaml") == commands["mine"]
    with pytest.raises(ConfigError, match=r"commands\.yaml has no command 'litert'; it has mine"):
        named_command(commands, "litert", "commands.yaml")


def test_values_are_words_whatever_is_in_them() -> None:
    assert gaps("--graph={network} {{x}}") == ("network",)
    assert fill("--graph={network} {{x}}", {"network": "$(id) {out}; rm"}) == "--graph=$(id) {out}; rm {x}"
    with pytest.raises(ConfigError, match=r"nothing fills \{out\}"):
        fill("{out}", {})
