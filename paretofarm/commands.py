"""Commands of the operator's: how a runner that this product does not know times and runs networks on a phone.

They lie in a file on the hosts of workers and agents, which PARETOFARM_COMMANDS names; an experiment names one of them
and can say nothing of what it does. Without that an experiment file, which people pass round, could push and start any
file of an agent's host.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from paretofarm.command_template import VARIABLE_PATTERN, gaps, require_gaps
from paretofarm.complaints import complaints
from paretofarm.errors import ConfigError
from paretofarm.strict import Strict

COMMANDS = "PARETOFARM_COMMANDS"
NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,39}$"
FILE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.+-]*$"
CONVERT_GAPS = ("onnx", "float_onnx", "calibration", "precision", "out", "folder")
RUN_GAPS = ("network", "tools", "folder", "threads")
INPUT_GAPS = ("inputs", "input")
TIME_GAPS = (*RUN_GAPS, *INPUT_GAPS, "inferences", "warmup")
INFER_GAPS = (*RUN_GAPS, *INPUT_GAPS, "i")
OUTPUT_GAPS = ("i",)

Variable = Annotated[str, Field(pattern=VARIABLE_PATTERN)]
ImageLayout = Literal["chw", "hwc"]
Timeout = Annotated[float, Field(gt=0, le=3600)]


def _local(text: str) -> str:
    if not PurePosixPath(text).is_absolute():
        raise ValueError("must be an absolute path on the agent's host")
    return text


def _below(text: str) -> str:
    place = PurePosixPath(text)
    if place.is_absolute() or ".." in place.parts or not place.parts:
        raise ValueError("must be a path below a folder")
    return text


LocalFile = Annotated[str, AfterValidator(_local)]
Place = Annotated[str, AfterValidator(_below)]


class Invocation(Strict):
    """A program with its arguments and variables, every word a template."""

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    environment: Mapping[Variable, str] = Field(default_factory=dict)
    timeout_s: Timeout = 600.0

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.argv, *self.environment.values())

    @property
    def used(self) -> frozenset[str]:
        """Names of all gaps."""
        return frozenset(name for word in self.words for name in gaps(word))


class Conversion(Invocation):
    """On a worker: an ONNX network becomes the file that the runner takes.

    `{onnx}` is the network in the experiment's precision, `{float_onnx}` in float32; `{calibration}` a list of raw
    float32 images [1, 3, H, W], one path a line; `{folder}` an empty folder; `{out}` the file to write.
    """

    @model_validator(mode="after")
    def _whole(self) -> Self:
        require_gaps(self.words, CONVERT_GAPS)
        if "out" not in self.used or not self.used & {"onnx", "float_onnx"}:
            raise ValueError("argv needs {out}, and {onnx} or {float_onnx}")
        return self


class Times(Strict):
    """Where the times are in what a runner leaves: all matches of a regular expression's group `time`, a column of a
    CSV with a heading, or a path in JSON (`runs.*.time_us`; `*` is every element). Exactly one of them.

    of: one inference, or all of the block's together. which: the last match where others are of something else.
    includes_warmup: the first so many samples are of the warm-up, and are left out.
    """

    regex: str | None = None
    csv_column: str | None = None
    json_path: str | None = None
    unit: Literal["s", "ms", "us", "ns"]
    of: Literal["inference", "block"] = "inference"
    which: Literal["all", "first", "last"] = "all"
    includes_warmup: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.regex, self.csv_column, self.json_path)) != 1:
            raise ValueError("needs one of regex, csv_column and json_path")
        if self.regex is not None and "time" not in _compiled(self.regex).groupindex:
            raise ValueError("the regular expression needs a group (?P<time>…)")
        return self


class TimeCommand(Invocation):
    """On a phone: times inferences of `{network}`.

    `{tools}` is the folder of `files`, `{folder}` the working folder, empty. For a runner that does not make its input
    up, `{input}` is a file with one, raw float32, and `{inputs}` a list that names it. reads: where the times are:
    stdout, stderr, or a file in the working folder. expect: what must be in stdout or stderr if all went well.
    """

    reads: str = "stdout"
    layout: ImageLayout = "chw"
    latency: Times
    load: Times | None = None
    expect: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        require_gaps(self.words, TIME_GAPS)
        if self.reads not in ("stdout", "stderr"):
            _below(self.reads)
        if self.expect is not None:
            _compiled(self.expect)
        return self


class InferCommand(Invocation):
    """On a phone: runs `{network}` on images and leaves its outputs, both as raw float32.

    `{inputs}` is a list of files, one image each, relative to the working folder; or the command is run for each image,
    with `{input}` its file and `{i}` its number from 0. outputs: place of each output in the working folder.
    """

    outputs: Place
    layout: ImageLayout = "chw"

    @model_validator(mode="after")
    def _known(self) -> Self:
        require_gaps(self.words, INFER_GAPS)
        require_gaps([self.outputs], OUTPUT_GAPS)
        if len(self.used & {"inputs", "input"}) != 1:
            raise ValueError("argv needs {inputs} or {input}, and not both")
        if "i" not in gaps(self.outputs):
            raise ValueError("outputs needs {i}, the number of the image")
        return self

    @property
    def one_at_a_time(self) -> bool:
        return "input" in self.used


class Command(Strict):
    """A runner. files: by their places in `{tools}`. network: the name under which a compiled one lies on the phone."""

    convert: Conversion | None = None
    network: str = Field(pattern=FILE_PATTERN)
    files: Mapping[Place, LocalFile] = Field(default_factory=dict)
    time: TimeCommand
    infer: InferCommand | None = None

    @model_validator(mode="after")
    def _has_tools(self) -> Self:
        used = self.time.used | (self.infer.used if self.infer else frozenset())
        if "tools" in used and not self.files:
            raise ValueError("{tools} is used, and there are no files")
        return self


class _CommandFile(Strict):
    commands: Mapping[Annotated[str, Field(pattern=NAME_PATTERN)], Command]


def parse_commands(document: Any, source: str) -> Mapping[str, Command]:
    """The commands of a parsed file, by name. ConfigError names the source and, per problem, key, value and reason."""
    try:
        return TypeAdapter(_CommandFile).validate_python(document).commands
    except ValidationError as error:
        raise ConfigError(f"{source}: " + "; ".join(complaints(error, document))) from error


def named_command(commands: Mapping[str, Command], name: str, source: str) -> Command:
    """ConfigError lists those that there are."""
    if name not in commands:
        raise ConfigError(f"{source} has no command {name!r}; it has {', '.join(sorted(commands)) or 'none'}")
    return commands[name]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
