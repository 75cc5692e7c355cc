import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from paretofarm.errors import (
    DatabaseUnavailable,
    LeaseLost,
    OutOfMemory,
    PhoneOffline,
    TrainingDiverged,
    WorkerCrashed,
)
from workers.isolation import ForkServer

TOOLS = Path(__file__).parents[1] / "tools"
ENVIRONMENT = {"PYTHONPATH": str(TOOLS)}
GONE_WITHIN_S = 10.0

Message = dict[str, Any]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ForkServer]:
    server = ForkServer(jobs="isolation_jobs", environment=ENVIRONMENT)
    yield server
    server.stop()


@pytest.fixture
def own_server() -> Iterator[Callable[..., ForkServer]]:
    servers: list[ForkServer] = []

    def make(environment: dict[str, str] | None = None, **options: Any) -> ForkServer:
        servers.append(ForkServer(jobs="isolation_jobs", environment={**ENVIRONMENT, **(environment or {})}, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def run(server: ForkServer, function: str, *, timeout_s: float = 60, **parameters: Any) -> dict[str, Any]:
    return server.run({"function": function, "parameters": parameters}, lambda message: None, timeout_s)


def gone(process_ids: list[int]) -> bool:
    """Whether all of them end before long; what only waits to be reaped by init has ended."""
    deadline = time.monotonic() + GONE_WITHIN_S
    alive = process_ids
    while alive and time.monotonic() < deadline:
        alive = [process_id for process_id in alive if _runs(process_id)]
        time.sleep(0.01)
    return not alive


def _runs(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_job_runs_in_a_process_and_group_of_its_own(shared_server: ForkServer) -> None:
    first, second = (run(shared_server, "echo", number=number) for number in (1, 2))
    assert first["parameters"] == {"number": 1}
    assert len({first["process_id"], second["process_id"], shared_server.process_id, os.getpid()}) == 4
    assert first["group"] == first["process_id"]


def test_messages_arrive_in_order(shared_server: ForkServer) -> None:
    messages = [{"type": "epoch", "epoch": number} for number in range(50)]
    received: list[Message] = []
    shared_server.run({"function": "echo", "parameters": {"messages": messages}}, received.append, 60)
    assert received == messages


def test_jobs_run_side_by_side(shared_server: ForkServer) -> None:
    waiting = shared_server.submit({"function": "wait", "parameters": {}})
    assert run(shared_server, "echo")["parameters"] == {}
    waiting.cancel()
    with pytest.raises(LeaseLost):
        waiting.run(lambda message: None, 60)


def test_much_output_does_not_block_and_threads_are_limited(shared_server: ForkServer) -> None:
    received: list[Message] = []
    job = {"function": "chat", "parameters": {"length": 1_000_000}}
    assert shared_server.run(job, received.append, 60) == {"environment": "1", "nice": 0, "stdin": True}
    assert len(received[0]["text"]) == 1_000_000


def test_the_jobs_own_error_comes_back_as_itself(shared_server: ForkServer) -> None:
    with pytest.raises(TrainingDiverged, match="the loss became nan"):
        run(shared_server, "diverge")


def test_a_bug_is_told_with_its_traceback(shared_server: ForkServer) -> None:
    with pytest.raises(
        WorkerCrashed, match=r"bug: the process ended with exit code 1: (?s:.*)ZeroDivisionError: a bug"
    ):
        run(shared_server, "bug")


def test_only_jobs_of_the_table_can_be_run(shared_server: ForkServer) -> None:
    with pytest.raises(WorkerCrashed, match=r"KeyError: 'os\.system'"):
        run(shared_server, "os.system")


def test_a_segmentation_fault_is_named_with_the_last_words(shared_server: ForkServer) -> None:
    with pytest.raises(WorkerCrashed, match="die: the process was killed by SIGSEGV: last words"):
        run(shared_server, "die", signal="SIGSEGV")
    assert run(shared_server, "echo")["parameters"] == {}


def test_a_kill_from_outside_hints_at_memory(shared_server: ForkServer) -> None:
    with pytest.raises(WorkerCrashed, match=r"was killed \(out of memory\?\)"):
        run(shared_server, "die", signal="SIGKILL")


def test_a_memory_limit_makes_a_greedy_job_out_of_memory(own_server: Callable[..., ForkServer]) -> None:
    server = own_server(memory_bytes=200_000_000)
    assert run(server, "allocate", bytes=50_000_000) == {"bytes": 50_000_000}
    with pytest.raises(OutOfMemory):
        run(server, "allocate", bytes=500_000_000)


def test_a_job_over_its_time_is_killed_with_its_whole_group(shared_server: ForkServer) -> None:
    received: list[Message] = []
    with pytest.raises(WorkerCrashed, match=r"wait: stopped after 1 s"):
        shared_server.run({"function": "wait", "parameters": {}}, received.append, 1)
    assert gone(received[0]["processes"])


@pytest.mark.parametrize("reason", [LeaseLost(), DatabaseUnavailable()])
def test_a_cancelled_job_is_killed_with_its_whole_group(shared_server: ForkServer, reason: Any) -> None:
    received: list[Message] = []
    job = shared_server.submit({"function": "wait", "parameters": {}})

    def cancel_from_another_thread(message: Message) -> None:
        received.append(message)
        threading.Thread(target=job.cancel, args=(reason,)).start()

    with pytest.raises(type(reason)):
        job.run(cancel_from_another_thread, 60)
    assert gone(received[0]["processes"])


def test_cancelling_does_not_wait_for_the_warm_up(own_server: Callable[..., ForkServer]) -> None:
    job = own_server({"SLOW_WARM_UP": "100"}).submit({"function": "echo", "parameters": {}})
    started = time.monotonic()
    job.cancel()
    with pytest.raises(LeaseLost):
        job.run(lambda message: None, 60)
    assert time.monotonic() - started < 5


def test_a_job_whose_listener_fails_is_killed(shared_server: ForkServer) -> None:
    received: list[Message] = []

    def fail(message: Message) -> None:
        received.append(message)
        raise PhoneOffline

    with pytest.raises(PhoneOffline):
        shared_server.run({"function": "wait", "parameters": {}}, fail, 60)
    assert gone(received[0]["processes"])


def test_a_server_that_died_is_started_again(own_server: Callable[..., ForkServer]) -> None:
    server = own_server()
    run(server, "echo")
    first = server.process_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert gone([first])
    assert run(server, "echo")["parameters"] == {}
    assert server.process_id not in (None, first)


def test_when_the_server_is_killed_its_jobs_die_and_say_so(own_server: Callable[..., ForkServer]) -> None:
    server = own_server()
    received: list[Message] = []

    def kill_server(message: Message) -> None:
        received.append(message)
        assert server.process_id is not None
        os.kill(server.process_id, signal.SIGKILL)

    with pytest.raises(WorkerCrashed, match="the fork server died"):
        server.run({"function": "wait", "parameters": {}}, kill_server, 60)
    job, helper = received[0]["processes"]
    assert gone([job])
    # What the job itself has started is beyond the reach of a server that is dead.
    os.kill(helper, signal.SIGKILL)


def test_a_server_that_cannot_warm_up_says_why(own_server: Callable[..., ForkServer]) -> None:
    with pytest.raises(WorkerCrashed, match=r"the fork server died: (?s:.*)ImportError: no such library"):
        run(own_server({"BROKEN_WARM_UP": "1"}), "echo")


def test_stopping_ends_the_server_and_its_jobs(own_server: Callable[..., ForkServer]) -> None:
    server = own_server()
    processes: list[int] = []

    def stop(message: Message) -> None:
        processes.extend([server.process_id, *message["processes"]])  # type: ignore[list-item]
        server.stop()

    with pytest.raises(WorkerCrashed):
        server.run({"function": "wait", "parameters": {}}, stop, 60)
    assert server.process_id is None
    assert gone(processes)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_owner_leaves_no_process_behind(number: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("isolation_owner.py"))],
        stdout=subprocess.PIPE,
        env={**os.environ, **ENVIRONMENT},
    )
    with owner:
        assert owner.stdout is not None
        processes = json.loads(owner.stdout.readline())
        assert len(processes) == 3
        owner.send_signal(number)
        owner.wait(GONE_WITHIN_S)
    assert gone(processes)


def test_a_crowd_of_jobs_from_many_threads_all_come_back(shared_server: ForkServer) -> None:
    results: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            results.append(run(shared_server, "echo", number=number)["parameters"]["number"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(list(range(8)) * 5)
