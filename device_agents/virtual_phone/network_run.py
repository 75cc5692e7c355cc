"""`onnxruntime_run` for the virtual phone: a network's outputs for inputs in files, as an Android build could do it.

    onnxruntime_run --model M --input_list LIST --output_dir OUT [--threads N]

Lists, inputs and outputs are those of Qualcomm's runners: a line of LIST names the files of one inference, `FILE` or
`INPUT:=FILE` for each input, relative to the working folder; a file holds the raw float32 values of one input, as the
network's shape has them; inference i leaves `OUT/Result_i/OUTPUT.raw`. Failure is one line and exit code 255.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from device_agents.virtual_phone.perf_test import FAILED, RunFailed, load, open_session, verdict

FLOAT = "tensor(float)"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{message}\nSee 'onnxruntime_run --help'.\n")


def main(argv: Sequence[str]) -> int:
    """The tool's exit code: 0 or 255."""
    options = _parser().parse_args(argv)
    try:
        count = run(options.model, options.input_list, options.output_dir, threads=options.threads)
    except RunFailed as error:
        print(error, file=sys.stderr)
        return FAILED
    print(f"Finished {count} inferences")
    return 0


def run(model: Path, input_list: Path, output_dir: Path, *, threads: int) -> int:
    """Runs the network on every line of the list; how many these were. Raises `RunFailed`."""
    lines = list(_lines(input_list))
    onnxruntime = load()
    with verdict():
        session = open_session(onnxruntime, model, threads)
        for number, words in enumerate(lines):
            outputs = session.run(None, _feeds(session, words))
            _write(output_dir / f"Result_{number}", session, outputs)
    return len(lines)


def _lines(path: Path) -> Iterator[list[str]]:
    """The files of each inference; lines that begin with `#` or `%` are for other runners."""
    try:
        text = path.read_text()
    except OSError as error:
        raise RunFailed(f"input list {path}: {error.strerror}") from error
    for line in text.splitlines():
        if line.strip() and line[0] not in "#%":
            yield line.split()


def _feeds(session: Any, words: Sequence[str]) -> dict[str, Any]:
    wanted = {node.name: node for node in session.get_inputs()}
    named = [word.partition(":=") for word in words]
    files = {name if mark else node: file or name for (name, mark, file), node in zip(named, wanted, strict=False)}
    if len(words) != len(wanted) or set(files) != set(wanted):
        raise RunFailed(f"the network's inputs are {', '.join(wanted)}; a line names {len(words)}: {' '.join(words)}")
    return {name: _input(wanted[name], Path(file)) for name, file in files.items()}


def _input(node: Any, file: Path) -> Any:
    import numpy as np

    if node.type != FLOAT:
        raise RunFailed(f"input {node.name} is of type {node.type}: files hold float32")
    shape = [size if isinstance(size, int) and size > 0 else 1 for size in node.shape]
    try:
        values = np.fromfile(file, np.float32)
    except OSError as error:
        raise RunFailed(f"input {file}: {error.strerror}") from error
    if values.size != int(np.prod(shape)):
        raise RunFailed(f"input {file} has {values.size} values; {node.name} takes {'x'.join(map(str, shape))}")
    return values.reshape(shape)


def _write(folder: Path, session: Any, outputs: Sequence[Any]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for node, values in zip(session.get_outputs(), outputs, strict=True):
            name = re.sub(r"[^\w.-]", "_", node.name)
            values.astype("float32").tofile(folder / f"{name}.raw")
    except OSError as error:
        raise RunFailed(f"output {folder}: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="onnxruntime_run", allow_abbrev=False)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--input_list", type=Path, required=True)
    parser.add_argument("--output_dir", type=Path, required=True)
    parser.add_argument("--threads", type=int, choices=range(1, 65), default=1, metavar="N")
    return parser
