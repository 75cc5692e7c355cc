"""The client's side of one isolated job."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from paretofarm import errors
from paretofarm.errors import LeaseLost, ParetofarmError, WorkerCrashed
from workers.isolation.channel import Channel, Message

START_TIMEOUT_S = 180.0
"""For the server to be warm: imports and one export take 3 to 10 s, more on a busy machine."""

END_TIMEOUT_S = 10.0
"""From the order to kill a job to the news that it is gone."""


class IsolatedJob:
    """A job that has been handed to a fork server. Run it once; `cancel` may come from any thread at any time."""

    def __init__(self, channel: Channel, function: str, why_no_answer: Callable[[], str]) -> None:
        self._channel = channel
        self._function = function
        self._why_no_answer = why_no_answer
        self._cancelled: ParetofarmError | None = None
        self._started = False

    def run(self, on_message: Callable[[Message], None], timeout_s: float) -> dict[str, Any]:
        """Hands on what the job tells (`{"type": "epoch", …}`) and returns its result.

        Errors: those of paretofarm/errors.py that the job raised; `WorkerCrashed` where its process died, the server
        died, or `timeout_s` (counted from the fork) passed; whatever `cancel` was given; whatever `on_message` raises.
        In each case the job's whole process group is killed.
        """
        try:
            return self._follow(on_message, timeout_s)
        finally:
            # The server sees the end of the channel and kills what is still there.
            self._channel.close()

    def cancel(self, reason: ParetofarmError | None = None) -> None:
        """Kills the job's process group; `run` then raises the reason. Nothing to do where the job is over."""
        self._cancelled = reason or LeaseLost()
        if self._started:
            self._channel.finish_sending()
        else:
            # The server may still be warming up: nobody has to wait for that.
            self._channel.hang_up()

    def _follow(self, on_message: Callable[[Message], None], timeout_s: float) -> dict[str, Any]:
        result: dict[str, Any] | None = None
        error: ParetofarmError | None = None
        for message in self._messages(timeout_s):
            if message["type"] == "result":
                result = message["result"]
            elif message["type"] == "error":
                error = _error(message)
            elif message["type"] == "exit":
                error = error or (None if result is not None else _crash(self._function, message))
            else:
                on_message(message)
        if self._cancelled is not None:
            raise self._cancelled
        if error is not None:
            raise error
        if result is None:
            raise WorkerCrashed(f"{self._function}: {self._why_no_answer()}")
        return result

    def _messages(self, timeout_s: float) -> Iterator[Message]:
        """All messages to the one that says how the process ended; none after a server that vanished."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                message = self._channel.receive(deadline)
            except TimeoutError:
                self._kill(timeout_s)
                return
            if message is None:
                return
            if message["type"] == "started":
                deadline = time.monotonic() + timeout_s
                self._started = True
                continue
            yield message
            if message["type"] == "exit":
                return

    def _kill(self, timeout_s: float) -> None:
        self._cancelled = self._cancelled or WorkerCrashed(f"{self._function}: stopped after {timeout_s:g} s")
        self._channel.finish_sending()
        deadline = time.monotonic() + END_TIMEOUT_S
        try:
            while (message := self._channel.receive(deadline)) is not None and message["type"] != "exit":
                pass
        except TimeoutError:
            return


def _error(message: Mapping[str, Any]) -> ParetofarmError:
    kind = getattr(errors, message["class"], None)
    if not (isinstance(kind, type) and issubclass(kind, ParetofarmError)):
        return WorkerCrashed(f"{message['class']}: {message['message']}")
    return kind(message["message"])


def _crash(function: str, message: Mapping[str, Any]) -> WorkerCrashed:
    status, output = message["status"], message["output"].strip()
    how = f"ended with exit code {status}" if status >= 0 else f"was killed by {_signal_name(-status)}"
    if status == -signal.SIGKILL:
        how = "was killed (out of memory?)"
    return WorkerCrashed(f"{function}: the process {how}" + (f": {output}" if output else ""))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
