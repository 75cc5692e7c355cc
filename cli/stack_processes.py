"""The processes of `paretofarm up`: a scheduler, a worker, the web page and, per virtual phone, that and its agent."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from cli.local_stack import ProcessSpec
from cli.metrics.address import VARIABLE, MetricsAddress
from cli.page_place import PagePlace
from cli.virtual_phones import DEVICE_CLASS, VirtualPhonePlace, place_phones
from paretofarm.errors import StackError
from paretofarm.phone_settings import SUPERVISED
from paretofarm.settings import Settings

NICE = 10
"""Of everything but the phones: whatever else runs should disturb their timings as little as possible."""
PROGRAM = (sys.executable, "-P", "-m", "cli")
"""-P: a folder `cli` where the user happens to be must not be taken for ours."""
GRACE_S = 15.0
"""For a worker or an agent to hand back its work."""
PAGE = "dashboard"
WORKER_MODULES = {"torch": "worker", "onnxruntime": "worker", "onnxscript": "worker", "PIL": "worker"}
PHONE_MODULES = {"adb_shell": "agent", "cryptography": "agent", "onnxruntime": "phone"}


@dataclass(frozen=True)
class Crew:
    """How many of each. workers: evaluations at a time; None: as many as the worker finds this machine good for, GPUs
    included. device_classes: of the virtual phones, in turn; page: where the web page is, if any.

    tables: device classes of tabular searches, which have an agent each and no phone.
    """

    workers: int | None
    phones: int
    device_classes: tuple[str, ...] = (DEVICE_CLASS,)
    page: PagePlace | None = None
    tables: tuple[str, ...] = ()

    @property
    def answered(self) -> tuple[str, ...]:
        """Device classes that somebody measures on."""
        return (*self.device_classes, *self.tables)

    def check(self) -> None:
        """Errors: StackError naming what must be installed before they can run."""
        needed = {**(WORKER_MODULES if self.workers != 0 else {}), **(PHONE_MODULES if self.phones else {})}
        missing = {module: extra for module, extra in needed.items() if find_spec(module) is None}
        if missing:
            extras = ",".join(sorted(set(missing.values())))
            raise StackError(f"not installed: {', '.join(missing)}: pip install 'paretofarm[{extras}]'")


def process_specs(
    settings: Settings,
    folder: Path,
    crew: Crew,
    *,
    find_servers: bool = False,
    metrics: MetricsAddress | None = None,
) -> list[ProcessSpec]:
    """What to start, in order. folder: the data folder, which keeps the phones and the agents' key.

    metrics: where an exporter, which is started then, tells them; the others take the ports after it, in order.
    find_servers: the processes look there for the servers' addresses, which hold a password, instead of being told by
    their environment, which tools may show.
    """
    environment = settings.environment()
    if find_servers:
        told = {name: value for name, value in environment.items() if not name.endswith("_URL")}
        environment = {**told, "PARETOFARM_DATA": str(folder)}
    specs = [ProcessSpec("scheduler", (*PROGRAM, "scheduler"), environment, nice=NICE)]
    if crew.workers != 0:
        said = () if crew.workers is None else ("--concurrency", str(crew.workers))
        worker = (*PROGRAM, "worker", *said)
        specs.append(ProcessSpec("worker", worker, environment, nice=NICE, grace_s=GRACE_S))
    if crew.phones:
        places = place_phones(folder / "phones", crew.phones, crew.device_classes)
        specs += _phone_specs(places, folder / "adbkey", environment=environment)
    specs += [
        ProcessSpec(f"agent-{device}", (*PROGRAM, "agent", "--connect", f"table:{device}"), environment, nice=NICE)
        for device in crew.tables
    ]
    if crew.page:
        argv = (*PROGRAM, "dashboard", "--port", str(crew.page.port), "--no-auth")
        specs.append(ProcessSpec(PAGE, argv, environment, nice=NICE))
    if metrics:
        specs.append(ProcessSpec("exporter", (*PROGRAM, "exporter"), environment, nice=NICE))
    return _with_metrics(specs, metrics)


def phone_addresses(specs: Sequence[ProcessSpec]) -> dict[str, str]:
    """Which agent looks after which `host:port`."""
    agents = {spec.name: spec.argv[spec.argv.index("--connect") + 1] for spec in specs if "--connect" in spec.argv}
    return {name: address for name, address in agents.items() if not address.startswith("table:")}


def _phone_specs(places: Sequence[VirtualPhonePlace], key: Path, *, environment: dict[str, str]) -> list[ProcessSpec]:
    from device_agents.link.keys import ensure_key_pair, public_key_path  # needs the extra `agent`

    private = ensure_key_pair(key)
    public = public_key_path(private)
    specs = [ProcessSpec(f"phone-{place.name}", _phone(place, public)) for place in places]
    supervised = {**environment, SUPERVISED: "1"}
    for place in places:
        specs.append(ProcessSpec(f"agent-{place.name}", _agent(place, private), supervised, nice=NICE, grace_s=GRACE_S))
    return specs


def _with_metrics(specs: Sequence[ProcessSpec], first: MetricsAddress | None) -> list[ProcessSpec]:
    """All inherit our environment, where one address stands for all: each is told its own, or none.

    The web page tells its own beside itself.
    """
    telling = [spec.name for spec in specs if spec.name != PAGE and not spec.name.startswith("phone-")]
    telling.sort(key=lambda name: name != "exporter")
    places = {name: str(first.next(step)) for step, name in enumerate(telling)} if first else {}
    return [replace(spec, environment={**spec.environment, VARIABLE: places.get(spec.name, "")}) for spec in specs]


def _agent(place: VirtualPhonePlace, key: Path) -> tuple[str, ...]:
    phone = ("--connect", place.address, "--device-class", place.device_class)
    return (*PROGRAM, "agent", *phone, "--key", str(key))


def _phone(place: VirtualPhonePlace, public_key: Path) -> tuple[str, ...]:
    identity = ("--port", str(place.port), "--serial", place.serial, "--root", str(place.root))
    return (*PROGRAM, "phone", *identity, "--require-auth", "--authorized-key", str(public_key))
