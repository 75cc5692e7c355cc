"""A network's inputs and outputs as files of raw float32, in the layout that Qualcomm's runners share.

A list names one input file per line, relative to the working folder; inference i leaves `Result_i/OUTPUT.raw`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import numpy as np

from device_agents.phone import HOME
from device_agents.runtimes.kept_inputs import put_inputs
from device_agents.runtimes.port import Images, Logits
from paretofarm.errors import NotDeployable, PhoneOffline, PhoneStorageFull
from paretofarm.ports import DeviceLink

Shape = tuple[int, int, int]
"""(C, H, W)"""

INPUT_LIST = "inputs.txt"
LIST_TIMEOUT_S = 30.0
REMOVE_TIMEOUT_S = 60.0
STRIDES = (1, 2, 4, 8)
LEAST_FREE_BYTES = 2**20
"""With less, a result that is missing says that the phone is full."""


class Layout(StrEnum):
    """Order of an image's axes in a file."""

    CHW = "chw"
    HWC = "hwc"


@contextmanager
def batch_folder(link: DeviceLink, folder: str) -> Iterator[str]:
    """A remote folder below this one for one batch: made by the first push, removed after, for the next needs space.

    After a failure it stays until its job is swept.
    """
    batch = f"{folder}/batch-{uuid4().hex}"
    yield batch
    link.run(["rm", "-rf", batch], timeout_s=REMOVE_TIMEOUT_S)


def push_images(link: DeviceLink, images: Images, folder: str, layout: Layout = Layout.CHW, *, home: str = HOME) -> str:
    """Puts images [N, 3, H, W] and their list into a remote folder; the list's path. home: of all that is pushed."""
    names = put_inputs(link, [image_bytes(image, layout) for image in images], folder, home=home)
    return push_list(link, names, folder)


def image_bytes(image: Images, layout: Layout) -> bytes:
    """The content of the file of one image [3, H, W]."""
    image = image if layout is Layout.CHW else image.transpose(1, 2, 0)
    return np.ascontiguousarray(image, "<f4").tobytes()


def push_list(link: DeviceLink, names: Sequence[str], folder: str) -> str:
    """Puts the list of these input files, one inference each, into a remote folder; its path."""
    with TemporaryDirectory(prefix="paretofarm-inputs-") as local:
        Path(local, INPUT_LIST).write_text("".join(f"{name}\n" for name in names))
        link.push(Path(local, INPUT_LIST), f"{folder}/{INPUT_LIST}")
    return f"{folder}/{INPUT_LIST}"


def pull_logits(
    link: DeviceLink,
    outputs: str,
    images: Images,
    layout: Layout = Layout.CHW,
    output: Shape | None = None,
) -> Logits:
    """Outputs [N, C, H, W] that lie in a remote folder, of inferences of these images. output: shape of one.

    `NotDeployable` where the network gives several outputs or one of another size; where they are missing,
    `PhoneStorageFull` on a phone without space, `PhoneOffline` on one that has some.
    """
    file = _output_name(link, outputs)
    try:
        contents = [link.pull(f"{outputs}/Result_{number}/{file}") for number in range(len(images))]
    except FileNotFoundError as error:
        raise missing_output(link, outputs, str(error)) from error
    return np.stack([logits(content, images.shape, layout, output) for content in contents])


def logits(content: bytes, images: tuple[int, ...], layout: Layout, output: Shape | None = None) -> Logits:
    """One output [C, H, W]. images: shape of what went in, [N, 3, H, W].

    Where nobody tells its shape, it is taken for the finest of the image's own size, its half, quarter or eighth.
    """
    channels, height, width = output or _guessed(len(content), images)
    if len(content) != channels * height * width * 4:
        raise NotDeployable(f"an output of {len(content)} bytes is none of {channels}x{height}x{width}")
    values = np.frombuffer(content, "<f4")
    if layout is Layout.CHW:
        return values.reshape(channels, height, width)
    return values.reshape(height, width, channels).transpose(2, 0, 1)


def _guessed(size: int, images: tuple[int, ...]) -> tuple[int, int, int]:
    """Channels, height and width of an output of so many bytes."""
    for stride in STRIDES:
        height, width = images[2] // stride, images[3] // stride
        channels, rest = divmod(size, 4 * height * width) if height * width else (0, 0)
        if channels and not rest:
            return channels, height, width
    raise NotDeployable(f"an output of {size} bytes is none of {images[2]}x{images[3]} pixels")


def missing_output(link: DeviceLink, folder: str, what: str) -> PhoneStorageFull | PhoneOffline:
    """Whose fault it is that a runner which was content has left nothing."""
    if link.free_bytes(folder) < LEAST_FREE_BYTES:
        return PhoneStorageFull(f"{link.serial} has no space left for outputs: {what}")
    return PhoneOffline(f"{link.serial} has kept no output: {what}")


def _output_name(link: DeviceLink, outputs: str) -> str:
    listing = link.run(["ls", f"{outputs}/Result_0"], timeout_s=LIST_TIMEOUT_S)
    names = [name for name in listing.stdout.split("\n") if name.endswith(".raw")]
    if not names:
        raise missing_output(link, outputs, f"{outputs}/Result_0 {listing.stderr.strip()}".rstrip())
    if len(names) > 1:
        raise NotDeployable(f"the network has {len(names)} outputs: {', '.join(names)}")
    return names[0]
