"""Compiles one network for many chips in one process and prints what each context says of itself.

python htp_stamps.py PROGRAM NETWORK PROVIDER BACKEND < options.json: a list of the provider's options; prints as many
`[chip, architecture, MB of fast memory]`. Much faster than a process each, which is how the product does it.
"""

import json
import re
import runpy
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import onnxruntime


def main() -> None:
    program_file, network, provider, backend = sys.argv[1:]
    program = runpy.run_path(program_file, run_name="loaded")
    stamps = []
    for options in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            program["_compile"]({"network": network, "provider": provider, "backend": backend, "options": options})
            stamps.append(stamp(Path("context_qnn.bin").read_bytes()))
        onnxruntime.unregister_execution_provider_library(program["PROVIDER"])
    print(json.dumps(stamps))


def stamp(context: bytes) -> tuple[str, int, int]:
    chip = re.search(rb"soc_type=(\w+);arch=(\d+);", context)
    memory = re.search(rb"vtcm_size=(\d+);", context)
    assert chip and memory
    return chip[1].decode(), int(chip[2]), int(memory[1]) >> 20


if __name__ == "__main__":
    main()
