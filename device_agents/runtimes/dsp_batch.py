"""Many inputs and outputs of a network as one file each way: a push or a pull costs more than a small file."""

import io
import tarfile
from collections.abc import Sequence

from device_agents.runtimes.kept_inputs import put_inputs
from device_agents.runtimes.raw_files import missing_output, push_list
from paretofarm.errors import NotDeployable, RunnerFailed
from paretofarm.ports import DeviceLink

ARCHIVE_TIMEOUT_S = 300.0
LIST_TIMEOUT_S = 60.0
_SIZES = 'cd "$1" && for f in Result_*/*.raw; do echo "$(wc -c <"$f") $f"; done'


def push_inputs(link: DeviceLink, name: str, inputs: Sequence[bytes], folder: str, *, home: str) -> str:
    """Puts one file per inference and their list into a remote folder; the list's path. home: of all that is pushed."""
    files = put_inputs(link, inputs, folder, home=home)
    return push_list(link, [f"{name}:={file}" for file in files], folder)


def pull_outputs(link: DeviceLink, folder: str, outputs: str, *, count: int, size_bytes: int) -> bytes:
    """Outputs of so many inferences, one after the other. outputs: name of the folder below `folder`."""
    files = require_outputs(link, f"{folder}/{outputs}", count=count, size_bytes=size_bytes)
    _archive(link, "-cf", "outputs.tar", outputs, folder=folder)
    with tarfile.open(fileobj=io.BytesIO(link.pull(f"{folder}/outputs.tar"))) as archive:
        streams = [archive.extractfile(f"{outputs}/{file}") for file in files]
        return b"".join(stream.read() for stream in streams if stream is not None)


def require_outputs(link: DeviceLink, outputs: str, *, count: int, size_bytes: int) -> list[str]:
    """The files `Result_i/NAME.raw` in order, after a look at their sizes.

    A network with several outputs, or outputs of another size, is not deployable; where files are missing, the phone is
    full or has lost them.
    """
    listing = link.run(["sh", "-c", _SIZES, "sh", outputs], timeout_s=LIST_TIMEOUT_S)
    sizes = parse_sizes(listing.stdout)
    numbers = [int(file.split("/")[0].removeprefix("Result_")) for file in sizes]
    if len(set(numbers)) < len(numbers):
        raise NotDeployable(f"the network has more than one output: {', '.join(sorted(sizes)[:4])}")
    wrong = {file: size for file, size in sizes.items() if size not in (size_bytes, 0)}
    if wrong:
        file, size = next(iter(wrong.items()))
        raise NotDeployable(f"{file} has {size} bytes, the network's output {size_bytes}")
    if sorted(numbers) != list(range(count)) or 0 in sizes.values():
        raise missing_output(
            link, outputs, f"{len(sizes)} of {count} in {outputs}, {list(sizes.values()).count(0)} empty"
        )
    return [file for _, file in sorted(zip(numbers, sizes, strict=True))]


def parse_sizes(text: str) -> dict[str, int]:
    """Bytes by file, of lines `SIZE Result_i/NAME.raw`; what is none is left out."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    found = {words[1]: int(words[0]) for words in pairs if len(words) == 2 and words[0].isdigit()}
    return {file: size for file, size in found.items() if file.split("/")[0].removeprefix("Result_").isdigit()}


def _archive(link: DeviceLink, *words: str, folder: str) -> None:
    done = link.run(["tar", *words], timeout_s=ARCHIVE_TIMEOUT_S, directory=folder)
    if done.exit_code != 0:
        raise RunnerFailed(f"tar {words[0]} on {link.serial} failed: {done.stderr.strip()[-200:]}")
