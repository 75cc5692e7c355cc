"""What of all this is real, in plain words."""

from collections.abc import Iterator

from cli.report.blocks import Block, Section, Table, Words, row
from cli.report.naming import listed
from db.dossier import Dossier, UsedPhone
from paretofarm.experiment import Experiment

VIRTUAL = (
    "{devices} {is_are} no handset: a program that speaks the phones' protocol ran the networks, really and by the "
    "same rules as on a handset, on a computer of this farm. Latencies there are that computer's. They order networks "
    "by their cost; how long a phone takes, they do not tell."
)
TABLE = (
    "Nothing was trained and nothing was timed: every number was looked up in a table of earlier trainings and "
    "measurements, and latencies scatter as the experiment file says."
)
SIMULATOR = "Networks ran in the chip vendor's simulator, not on a chip: its latencies are estimates."
NOTHING_MEASURED = "Nothing was measured: the search was about what can be known without a device."
REAL = "Nothing was simulated: {devices} {is_are} what it says, and each latency was measured there."


def section(dossier: Dossier) -> Section:
    blocks: list[Block] = [Words(text) for text in (*_latencies(dossier), *_trainings(dossier))]
    if any(run.phones for run in dossier.runs):
        blocks.append(_phones(dossier))
    return Section("What was simulated", "simulated", blocks)


def _latencies(dossier: Dossier) -> Iterator[str]:
    experiment = dossier.told.search.experiment
    if experiment.is_tabular:
        yield TABLE
        return
    if experiment.measurement is None or not experiment.devices:
        yield NOTHING_MEASURED
        return
    if experiment.measurement.simulated:
        yield SIMULATOR
    phones = [phone for run in dossier.runs for phone in run.phones]
    virtual = sorted({phone.device for phone in phones if phone.simulated})
    real = sorted({phone.device for phone in phones if not phone.simulated})
    for text, devices in ((VIRTUAL, virtual), (REAL if not virtual else "{devices} {is_are} real.", real)):
        if devices:
            yield text.format(devices=listed(devices), is_are="is" if len(devices) == 1 else "are")


def _trainings(dossier: Dossier) -> Iterator[str]:
    experiment = dossier.told.search.experiment
    if experiment.is_tabular or experiment.training is None or not experiment.rungs:
        return
    yield f"The trainings were real: {_data(experiment)}"
    if dossier.final:
        yield "So were the quantizations: each network of the last search was quantized from its trained weights."


def _data(experiment: Experiment) -> str:
    dataset = experiment.training.dataset if experiment.training else None
    if dataset is None:
        return "on a data set that nobody noted down."
    return (
        f"on the images in {dataset.path.name} ({dataset.type}), {dataset.size}×{dataset.size} pixels. Whether these "
        "are photographs or drawn, only whoever made the folder knows."
    )


def _phones(dossier: Dossier) -> Table:
    rows = (
        row(run.name, phone.device, phone.serial, _kind(phone), phone.runtime, str(phone.measurements))
        for run in dossier.runs
        for phone in run.phones
    )
    columns = ("search", "device class", "phone", "what it is", "runtime", "measurements")
    return Table("What was measured on", columns, tuple(rows), texts=5)


def _kind(phone: UsedPhone) -> str:
    return ", ".join(part for part in ("simulated" if phone.simulated else "", phone.description) if part)
