"""Every error of the product. The class is the retry policy; the docstring is the default message."""


class ParetofarmError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        return str(self)

    @property
    def code(self) -> str:
        """Name under which the database records this error."""
        return type(self).__name__


# The user's input: nothing is retried, the command exits with 2.


class UserError(ParetofarmError):
    """The input is wrong."""


class ConfigError(UserError):
    """A setting or an experiment file is wrong."""


class Conflict(ConfigError):
    """It cannot be done as things are now."""


class ArchitectureError(UserError):
    """The architecture is not a member of the search space."""


class DataError(UserError):
    """The data set is missing or damaged."""


class NotFound(UserError):
    """There is nothing of that name."""


# The service around us: the command exits with 1, data stays where it is.


class ServiceError(ParetofarmError):
    """A service that is needed does not answer."""


class DatabaseUnavailable(ServiceError):
    """The database does not answer."""


class DatabaseRefused(ServiceError):
    """The database refuses a statement."""


class BrokerUnavailable(ServiceError):
    """The message broker does not answer."""


class WrongSchema(ServiceError):
    """The database's tables are of another version."""


class BrokerRefused(ServiceError):
    """The message broker does not let us in."""


class BackupError(ServiceError):
    """A backup could not be made or restored."""


class StackError(ServiceError):
    """The local stack could not be started."""


# The candidate's own fault: recorded with its reason, never retried.


class CandidateError(ParetofarmError):
    """The candidate cannot be evaluated."""


class BuildFailed(CandidateError):
    """The network could not be built or exported."""


class ConversionFailed(CandidateError):
    """The network could not be quantized or compiled for the device."""


class TrainingDiverged(CandidateError):
    """The training loss became infinite or NaN."""


class OutOfMemory(CandidateError):
    """The candidate does not fit into memory."""


class NotDeployable(CandidateError):
    """The device cannot run the network."""


# Nobody's fault that matters to the candidate: tried again elsewhere, bounded.


class Unavailable(ParetofarmError):
    """A resource is not available at the moment."""


class PhoneOffline(Unavailable):
    """The phone does not answer."""


class RunnerFailed(PhoneOffline):
    """The program that runs networks on the phone ended without a result."""


class PhoneUnauthorized(Unavailable):
    """The phone has not accepted this computer's key."""


class PhoneOverheated(Unavailable):
    """The phone is too hot to be measured."""


class PhoneStorageFull(Unavailable):
    """The phone has no space left."""


class AdbTimeout(Unavailable):
    """The phone did not answer in time."""


class ArtifactMissing(Unavailable):
    """An artifact cannot be read from the store."""


class ArtifactStoreFull(Unavailable):
    """The artifact store has no space left."""


class ArtifactStoreUnavailable(Unavailable):
    """The artifact store does not answer."""


class WorkerCrashed(Unavailable):
    """The process that did the work ended without a result."""


class LeaseExpired(Unavailable):
    """Whoever worked on it stopped giving signs of life."""


class NoisyMeasurement(ParetofarmError):
    """The measurement is too noisy to be trusted."""


class LeaseLost(ParetofarmError):
    """Somebody else owns the evaluation now."""
