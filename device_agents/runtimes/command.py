"""Networks run by a command of the operator's own: no shell sees its words, no experiment says what they are."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_agents.phone import HOME
from device_agents.runtimes.command_times import read_times
from device_agents.runtimes.kept_inputs import input_name
from device_agents.runtimes.port import BlockTimes, Images, InstalledNetwork, Logits
from device_agents.runtimes.raw_files import Layout, batch_folder, logits, missing_output, push_images
from device_agents.runtimes.toolset import Toolset
from device_agents.runtimes.unpacking import described, require_fitting, some_input, unpack
from device_agents.runtimes.watched_run import watched_run
from paretofarm.command_template import fill
from paretofarm.commands import Command, InferCommand, Invocation
from paretofarm.errors import ConfigError, NotDeployable, RunnerFailed
from paretofarm.packed_network import PackedNetwork
from paretofarm.ports import CommandResult, DeviceLink
from paretofarm.runtimes import CommandMeasurement

TIMEOUT_S = 15.0
Values = Mapping[str, str | int]


@dataclass(frozen=True)
class CommandRuntime:
    """One command. home: the folder on the phone for all that is pushed."""

    settings: CommandMeasurement
    command: Command
    home: str = HOME

    def prepare(self, link: DeviceLink) -> str:
        tools = self._tools(link)
        template = hashlib.sha256(self.command.model_dump_json().encode()).hexdigest()[:16]
        return f"{self.settings.command} {template} {tools.rsplit('/', 1)[-1]}".rstrip()

    def files(self, compiled: Path, folder: Path) -> Mapping[str, Path]:
        return {self.command.network: unpack(compiled, folder / self.command.network)}

    def time_block(
        self, link: DeviceLink, network: InstalledNetwork, *, folder: str, inferences: int, watch_memory: bool = False
    ) -> BlockTimes:
        time, warmup = self.command.time, self.settings.warmup_inferences
        with batch_folder(link, folder) as batch:
            values = self._values(link, network, batch) | {"inferences": inferences, "warmup": warmup}
            if time.used & {"inputs", "input"}:
                image = some_input(described(PackedNetwork, network.local))
                values |= {
                    "inputs": push_images(link, image, batch, Layout(time.layout), home=self.home),
                    "input": input_name(0),
                }
            result, peak = self._run(link, time, values, batch, watch_memory=watch_memory)
            self._require_success(result)
            text = self._text(link, time.reads, result, batch)
        samples = read_times(text, time.latency, inferences=inferences, warmup=warmup)
        load = read_times(text, time.load, inferences=inferences, warmup=0)[0] if time.load else None
        return BlockTimes(samples, load_ms=load, peak_memory_bytes=peak)

    def infer(self, link: DeviceLink, network: InstalledNetwork, images: Images, *, folder: str) -> Logits:
        infer, description = self._infer(), described(PackedNetwork, network.local)
        require_fitting(images, description)
        with batch_folder(link, folder) as batch:
            values = self._values(link, network, batch)
            inputs = push_images(link, images, batch, Layout(infer.layout), home=self.home)
            numbers = range(len(images))
            each: list[dict[str, str | int]] = [{"input": input_name(i), "i": i} for i in numbers]
            for run in each if infer.one_at_a_time else [{"inputs": inputs}]:
                self._run(link, infer, {**values, **run}, batch)
            outputs = [self._output(link, infer, batch, i) for i in numbers]
        layout, shape = Layout(infer.layout), description.output_shape[1:]
        return np.stack([logits(output, images.shape, layout, shape) for output in outputs])

    def reference(self) -> None:
        return None

    def _run(
        self, link: DeviceLink, invocation: Invocation, values: Values, folder: str, *, watch_memory: bool = False
    ) -> tuple[CommandResult, int | None]:
        """What the command gave, and its peak memory where that is watched."""
        argv = [fill(word, values) for word in invocation.argv]
        environment = {name: fill(word, values) for name, word in invocation.environment.items()}
        result, peak = watched_run(
            link,
            argv,
            timeout_s=invocation.timeout_s,
            environment=environment,
            directory=folder,
            watch=watch_memory,
        )
        if result.exit_code in (126, 127):
            raise ConfigError(f"{link.serial}: {argv[0]} cannot be started: {_tail(result)}")
        if result.exit_code > 128:
            raise RunnerFailed(f"{self.settings.command} was killed (exit code {result.exit_code}): {_tail(result)}")
        if result.exit_code != 0:
            name = self.settings.command
            raise NotDeployable(f"{name} cannot run the network (exit code {result.exit_code}): {_tail(result)}")
        return result, peak

    def _infer(self) -> InferCommand:
        if self.command.infer is None:
            raise ConfigError(f"the command {self.settings.command} has no `infer:`, without which it gives no outputs")
        return self.command.infer

    def _require_success(self, result: CommandResult) -> None:
        """Where the command says how its runner tells that all went well."""
        expected = self.command.time.expect
        said = f"{result.stdout}\n{result.stderr}"
        if expected is not None and not re.search(expected, said, re.MULTILINE):
            raise RunnerFailed(f"{self.settings.command} does not say {expected!r}: {_tail(result)}")

    def _values(self, link: DeviceLink, network: InstalledNetwork, folder: str) -> dict[str, str | int]:
        """What fills the gaps of every command; makes the working folder."""
        link.run(["mkdir", "-p", folder], timeout_s=TIMEOUT_S)
        return {
            "network": f"{network.folder}/{self.command.network}",
            "tools": self._tools(link),
            "folder": folder,
            "threads": self.settings.threads,
        }

    def _text(self, link: DeviceLink, reads: str, result: CommandResult, folder: str) -> str:
        if reads in ("stdout", "stderr"):
            return result.stdout if reads == "stdout" else result.stderr
        try:
            return link.pull(f"{folder}/{reads}").decode(errors="replace")
        except FileNotFoundError as error:
            raise missing_output(link, folder, f"{reads}: {_tail(result)}") from error

    def _output(self, link: DeviceLink, infer: InferCommand, folder: str, number: int) -> bytes:
        place = fill(infer.outputs, {"i": number})
        try:
            return link.pull(f"{folder}/{place}")
        except FileNotFoundError as error:
            raise missing_output(link, folder, place) from error

    def _tools(self, link: DeviceLink) -> str:
        """Remote folder of the command's files; empty where it has none."""
        if not self.command.files:
            return ""
        files = {place: Path(local) for place, local in self.command.files.items()}
        return Toolset(f"command-{self.settings.command}", files, self.home).install(link)


def _tail(result: CommandResult) -> str:
    return " ".join(f"{result.stdout}\n{result.stderr}".split())[-300:]
