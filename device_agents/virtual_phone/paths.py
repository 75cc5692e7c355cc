"""Where the phone's paths lie on this machine, in file names, command texts and output."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

FOLDERS = ("data", "sdcard", "storage", "system", "vendor")
# A path of the phone begins a word or follows a quote, `=`, `:`, a redirection …, never a name or another path.
_IN_COMMAND = re.compile(rf"(?<![\w./~}})*?\]-])/({'|'.join(FOLDERS)})(?![\w.-])")
_NAME_BYTES = rb"[\w.-]"


def host_path(root: Path, device_path: str) -> Path:
    """The place of a phone's file on this machine; `..` does not lead out of the root folder."""
    return root / os.path.normpath("/" + device_path).lstrip("/")


def map_command(root: Path, command: str) -> str:
    """The command's text, with the phone's paths replaced. The root's own path must need no quoting in a shell."""
    return _IN_COMMAND.sub(lambda match: f"{root}/{match.group(1)}", command)


def needs_no_quoting(path: Path) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_./+@-]+", str(path)) is not None


@dataclass
class OutputMapper:
    """Maps the root folder back to `/` in a stream of bytes that is cut anywhere. Everything else passes unchanged."""

    roots: tuple[bytes, ...]
    _held: bytes = b""
    _pattern: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        alternatives = b"|".join(re.escape(root) for root in sorted(self.roots, key=len, reverse=True))
        self._pattern = re.compile(rb"(?:" + alternatives + rb")(/|(?!" + _NAME_BYTES + rb"))")

    def feed(self, data: bytes) -> bytes:
        """What can be passed on now; the beginning of a root at the end is held until more is known."""
        data = self._held + data
        cut = len(data) - self._undecided(data)
        # What follows a root belongs to it as long as that is undecided.
        while root := next((root for root in self.roots if data.endswith(root, 0, cut)), b""):
            cut -= len(root)
        self._held = data[cut:]
        return self._mapped(data[:cut])

    def finish(self) -> bytes:
        held, self._held = self._held, b""
        return self._mapped(held)

    def _mapped(self, data: bytes) -> bytes:
        return self._pattern.sub(b"/", data)

    def _undecided(self, data: bytes) -> int:
        """Length of the longest tail that may yet become a root (or is one whose next byte is not known)."""
        longest = 0
        for root in self.roots:
            for size in range(min(len(root), len(data)), longest, -1):
                if data.endswith(root[:size]):
                    longest = size
                    break
        return longest


def output_roots(*folders: Path) -> tuple[bytes, ...]:
    """Every name under which a root folder may appear in output."""
    return tuple({os.fsencode(PurePosixPath(name)) for f in folders for name in (f, f.resolve())})
