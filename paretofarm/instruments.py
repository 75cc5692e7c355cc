"""Every number that the service tells about itself, as pure data: who tells it, its unit, labels and meaning.

Names follow Prometheus' conventions (base units, `_total` for counters). Labels are bounded: stages, statuses, device
classes, names of searches; never a candidate. docs/metrics.md is the same list for people; a test compares the two.
"""

from paretofarm.instrument import Instrument, Kind, Process

_EXPORTER = (Process.EXPORTER,)
_SCHEDULER = (Process.SCHEDULER,)
_WORKER = (Process.WORKER,)
_AGENT = (Process.AGENT,)
_DASHBOARD = (Process.DASHBOARD,)
_PERFORMERS = (Process.WORKER, Process.AGENT)
_ALL = tuple(Process)


def _gauge(name: str, unit: str, help: str, *labels: str, by: tuple[Process, ...]) -> Instrument:
    return Instrument(name, Kind.GAUGE, unit, help, labels, by, read=by == _EXPORTER)


def _gpu(name: str, unit: str, help: str) -> Instrument:
    return Instrument(name, Kind.GAUGE, unit, help, ("gpu",), _WORKER, read=True)


def _counter(name: str, unit: str, help: str, *labels: str, by: tuple[Process, ...]) -> Instrument:
    return Instrument(name, Kind.COUNTER, unit, help, labels, by, read=by == _EXPORTER)


def _histogram(
    name: str, unit: str, help: str, *labels: str, by: tuple[Process, ...], buckets: tuple[float, ...]
) -> Instrument:
    return Instrument(name, Kind.HISTOGRAM, unit, help, labels, by, buckets)


_MILLISECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WORKING_TIMES = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0)
_SIZES = (1e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 3e9)
_SHARES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5)

# Everybody

BUILD_INFO = _gauge("build_info", "", "Always 1; the label is the version of the code.", "version", by=_ALL)

# The exporter, from the database

DATABASE_UP = _gauge("database_up", "", "1 while the exporter can read the database, else 0.", by=_EXPORTER)
BROKER_UP = _gauge("broker_up", "", "1 while the broker answers the exporter, else 0.", by=_EXPORTER)
READ_SECONDS = _gauge("exporter_read_seconds", "seconds", "What the last reading of the database took.", by=_EXPORTER)
EVALUATIONS = _gauge("evaluations", "", "Evaluations in the database.", "stage", "status", "queue", by=_EXPORTER)
FAILED_EVALUATIONS = _gauge(
    "evaluations_failed",
    "",
    "Evaluations that failed for good, by the class of the error.",
    "stage",
    "code",
    by=_EXPORTER,
)
QUEUE_OLDEST = _gauge(
    "queue_oldest_seconds",
    "seconds",
    "How long the oldest evaluation of a queue has been due and nobody's; 0 where none waits.",
    "queue",
    by=_EXPORTER,
)
OLDEST_LEASE = _gauge(
    "lease_overdue_seconds",
    "seconds",
    "How long ago the oldest lease still held expired; 0 where none has.",
    by=_EXPORTER,
)
CANDIDATES = _gauge("candidates", "", "Candidates of a search.", "search", "status", by=_EXPORTER)
SEARCHES = _gauge("searches", "", "Searches.", "status", by=_EXPORTER)
SEARCH_TARGET = _gauge(
    "search_target_candidates", "", "Complete candidates that a search asks for.", "search", by=_EXPORTER
)
SEARCH_HALTED = _gauge(
    "search_halted",
    "",
    "1 where a search was stopped for a reason that its user has to mend, else 0.",
    "search",
    by=_EXPORTER,
)
FRONT_SIZE = _gauge("search_front_size", "", "Members of a search's Pareto front.", "search", by=_EXPORTER)
HYPERVOLUME = _gauge(
    "search_hypervolume_ratio",
    "ratio",
    "The front's hypervolume as a multiple of that of the first eight complete candidates; it only grows.",
    "search",
    by=_EXPORTER,
)
BEST = _gauge(
    "search_best",
    "the objective's own",
    "Best value of an objective among feasible candidates; device is empty where it is the same on all.",
    "search",
    "objective",
    "device",
    by=_EXPORTER,
)
PHONES = _gauge(
    "phones",
    "",
    "Phones by what their agents last said; lost: silent for a minute without work, though not said to be offline.",
    "device",
    "state",
    by=_EXPORTER,
)
WORKERS = _gauge(
    "workers",
    "",
    "Processes: idle, busy (holds a lease), lost (silent for a minute, within the last hour).",
    "kind",
    "state",
    by=_EXPORTER,
)
EVENTS = _counter("events_total", "", "What happened so far, by kind.", "kind", by=_EXPORTER)
ATTEMPT_FAILURES = _counter(
    "attempt_failures_total",
    "",
    "Attempts that ended with an error, retried or not, by its class.",
    "code",
    by=_EXPORTER,
)
LEASES_EXPIRED = _counter(
    "leases_expired_total", "", "Leases taken back from owners that gave no sign of life.", by=_EXPORTER
)
DATABASE_BYTES = _gauge("database_size_bytes", "bytes", "Size of the database.", by=_EXPORTER)
ARTIFACTS = _gauge("artifacts", "", "Artifacts known, by kind.", "kind", by=_EXPORTER)
ARTIFACT_BYTES = _gauge("artifacts_size_bytes", "bytes", "Size of the artifacts known, by kind.", "kind", by=_EXPORTER)
STORE_FREE = _gauge(
    "artifact_store_free_bytes",
    "bytes",
    "Free space of the file system that holds the artifacts, where it is a local folder.",
    by=_EXPORTER,
)
STORE_SIZE = _gauge("artifact_store_size_bytes", "bytes", "Size of that file system.", by=_EXPORTER)

# The scheduler

TICK_SECONDS = _histogram(
    "scheduler_tick_duration_seconds",
    "seconds",
    "Ticks of the scheduler that plans, sending included; one that stands by has none.",
    by=_SCHEDULER,
    buckets=_MILLISECONDS,
)
LEADING = _gauge("scheduler_leading", "", "1 in the scheduler that plans, 0 in one that stands by.", by=_SCHEDULER)
PROPOSAL_SECONDS = _histogram(
    "proposal_duration_seconds", "seconds", "One call of the search algorithm.", by=_SCHEDULER, buckets=_MILLISECONDS
)
PROPOSALS = _counter("proposals_total", "", "Candidates proposed by this process.", "search", by=_SCHEDULER)
SCREENED = _counter(
    "proposals_screened_total", "", "Architectures not proposed: too slow for a limit.", "search", by=_SCHEDULER
)
MESSAGES = _counter("messages_sent_total", "", "Messages sent to the broker, by queue.", "queue", by=_SCHEDULER)

# Scheduler, workers and agents

OUTAGES = _counter(
    "outages_total",
    "",
    "How often this process found a server gone that it needed (database or broker).",
    "server",
    by=(Process.SCHEDULER, *_PERFORMERS),
)

# Workers and agents

PERFORMED = _counter(
    "evaluations_performed_total",
    "",
    "Evaluations that this process worked on: done, failed (the attempt), handed_back or lost (its lease).",
    "stage",
    "outcome",
    by=_PERFORMERS,
)
ERRORS = _counter(
    "evaluation_errors_total",
    "",
    "Attempts of this process that ended with an error, by its class.",
    "stage",
    "code",
    by=_PERFORMERS,
)
PERFORM_SECONDS = _histogram(
    "evaluation_duration_seconds",
    "seconds",
    "From claim to stored outcome.",
    "stage",
    by=_PERFORMERS,
    buckets=_WORKING_TIMES,
)
IN_PROGRESS = _gauge("evaluations_in_progress", "", "What this process works on right now.", "stage", by=_PERFORMERS)
SLOTS = _gauge("slots", "", "How many evaluations this process can work on at a time.", by=_PERFORMERS)
STALE_MESSAGES = _counter(
    "stale_messages_total", "", "Messages about work that was not to be had any more.", by=_PERFORMERS
)
HEARTBEAT_FAILURES = _counter(
    "heartbeat_failures_total", "", "Heartbeats of leases that could not be written.", by=_PERFORMERS
)

# Workers

TRAINED_IMAGES = _counter("training_images_total", "", "Images trained on, each epoch anew.", by=_WORKER)
EPOCH_SECONDS = _histogram(
    "training_epoch_duration_seconds",
    "seconds",
    "An epoch of training with its validation.",
    by=_WORKER,
    buckets=_WORKING_TIMES,
)
CHECKPOINT_BYTES = _histogram("checkpoint_size_bytes", "bytes", "Checkpoints as stored.", by=_WORKER, buckets=_SIZES)
GPU_WAITING = _gauge("gpu_trainings_waiting", "", "Trainings that wait for room on a GPU, a slot each.", by=_WORKER)
GPU_MEMORY_USED = _gpu("gpu_memory_used_bytes", "bytes", "GPU memory in use, by anybody.")
GPU_MEMORY_SIZE = _gpu("gpu_memory_size_bytes", "bytes", "GPU memory in all.")
GPU_BUSY = _gpu("gpu_utilisation_ratio", "ratio", "Share of the time in which the GPU ran something.")
GPU_TEMPERATURE = _gpu("gpu_temperature_celsius", "celsius", "Temperature of the GPU.")

# Agents

PHONE_INFO = _gauge(
    "phone_info", "", "Always 1; the labels are the phone.", "device", "serial", "model", "simulated", by=_AGENT
)
PHONE_FIT = _gauge("phone_fit", "", "1 while the phone may be measured, else 0.", "device", by=_AGENT)
PHONE_TEMPERATURE = _gauge(
    "phone_temperature_celsius", "celsius", "What the phone's sensors say.", "device", "sensor", by=_AGENT
)
PHONE_THERMAL = _gauge(
    "phone_thermal_status",
    "",
    "Android's thermal status: 0 none, 1 light, 2 moderate, 3 severe and up.",
    "device",
    by=_AGENT,
)
BATTERY = _gauge("phone_battery_ratio", "ratio", "How full the battery is.", "device", by=_AGENT)
BATTERY_TEMPERATURE = _gauge(
    "phone_battery_temperature_celsius", "celsius", "Temperature of the battery.", "device", by=_AGENT
)
PHONE_FREE = _gauge("phone_free_bytes", "bytes", "Free space on the phone.", "device", by=_AGENT)
BLOCKS = _counter(
    "measurement_blocks_total",
    "",
    "Blocks measured: counted, or discarded as drifted or disturbed.",
    "device",
    "verdict",
    by=_AGENT,
)
NOISE = _histogram(
    "measurement_noise_ratio",
    "ratio",
    "Half-width of a latency's 95 % interval as a share of it.",
    "device",
    by=_AGENT,
    buckets=_SHARES,
)
NOISY = _counter("measurements_noisy_total", "", "Measurements too noisy to be trusted.", "device", by=_AGENT)
REFERENCE = _gauge(
    "phone_reference_ratio",
    "ratio",
    "The reference network's time in the last measurement as a multiple of its baseline on this device class.",
    "device",
    by=_AGENT,
)
REFERENCE_CHECKS = _counter(
    "phone_reference_checks_total",
    "",
    "Runs of the reference network alone: passed, drifted (another pace than usual) or broken.",
    "device",
    "outcome",
    by=_AGENT,
)
REFERENCE_DRIFT = _gauge(
    "phone_reference_drift_ratio",
    "ratio",
    "The reference network's time in its last check as a multiple of the phone's usual one.",
    "device",
    by=_AGENT,
)
RECOVERIES = _counter("phone_recoveries_total", "", "Steps taken to recover the phone.", "device", "step", by=_AGENT)
BLAMED = _counter(
    "measurement_failures_total",
    "",
    "Failures on the phone by whom they are blamed on: candidate, phone, or unclear (tried again).",
    "device",
    "party",
    by=_AGENT,
)

# The dashboard

HTTP_REQUESTS = _counter(
    "http_requests_total",
    "",
    "Requests that were answered, by method and status.",
    "method",
    "status",
    by=_DASHBOARD,
)
HTTP_SECONDS = _histogram(
    "http_request_duration_seconds",
    "seconds",
    "From a request to the beginning of its answer.",
    by=_DASHBOARD,
    buckets=_MILLISECONDS,
)
EVENT_STREAMS = _gauge("event_streams", "", "Browsers and programs that are being told of events.", by=_DASHBOARD)

INSTRUMENTS: tuple[Instrument, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Instrument)
)
"""All of the above, in order."""


def instruments_of(process: Process) -> tuple[Instrument, ...]:
    """What one kind of process tells."""
    return tuple(instrument for instrument in INSTRUMENTS if process in instrument.processes)
