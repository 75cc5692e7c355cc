"""Settings of the processes, from the environment. Experiment files never hold them, so that files can be shared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from paretofarm.broker_url import checked_broker_url
from paretofarm.errors import ConfigError

DEFAULT_DATA_FOLDER = ".paretofarm"
DATABASE_URL, BROKER_URL = "PARETOFARM_DATABASE_URL", "PARETOFARM_BROKER_URL"
PASSWORD_OF = {DATABASE_URL: "PARETOFARM_DATABASE_PASSWORD", BROKER_URL: "PARETOFARM_BROKER_PASSWORD"}
"""The variable with the password that a url may leave out."""


@dataclass(frozen=True)
class Settings:
    """Where the services are. Secrets (the urls hold passwords) are kept out of `repr`.

    lease_s: how long a claimed evaluation may go without a heartbeat before it is given to somebody else.
    resend_s: how long a sent message may go unclaimed before it is sent again.
    checkpoint_s: how often a training that goes on leaves a checkpoint to resume from, at most.
    """

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    artifacts: str
    cache: Path
    lease_s: float = 60.0
    resend_s: float = 30.0
    checkpoint_s: float = 60.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads PARETOFARM_*. Files of passwords are read before, by whoever may do that (`cli.secret_files`)."""
        folder = Path(environment.get("PARETOFARM_DATA", DEFAULT_DATA_FOLDER)).absolute()
        return cls(
            database_url=server_url(environment, DATABASE_URL),
            broker_url=checked_broker_url(server_url(environment, BROKER_URL)),
            artifacts=environment.get("PARETOFARM_ARTIFACTS", (folder / "artifacts").as_uri()),
            cache=Path(environment.get("PARETOFARM_CACHE", folder / "cache")),
            lease_s=_seconds(environment, "PARETOFARM_LEASE_SECONDS", cls.lease_s),
            resend_s=_seconds(environment, "PARETOFARM_RESEND_SECONDS", cls.resend_s),
            checkpoint_s=_seconds(environment, "PARETOFARM_CHECKPOINT_SECONDS", cls.checkpoint_s),
        )

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings."""
        return {
            "PARETOFARM_DATABASE_URL": self.database_url,
            "PARETOFARM_BROKER_URL": self.broker_url,
            "PARETOFARM_ARTIFACTS": self.artifacts,
            "PARETOFARM_CACHE": str(self.cache),
            "PARETOFARM_LEASE_SECONDS": str(self.lease_s),
            "PARETOFARM_RESEND_SECONDS": str(self.resend_s),
            "PARETOFARM_CHECKPOINT_SECONDS": str(self.checkpoint_s),
        }


def server_url(environment: Mapping[str, str], name: str) -> str:
    """A server's address, completed by its password variable. ConfigError where the address is not set."""
    return with_password(required(environment, name), environment.get(PASSWORD_OF[name], ""))


def with_password(url: str, password: str) -> str:
    """The url with the password in it; one that is there already stays."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user_info, _, host = authority.rpartition("@")
    user, _, own = user_info.partition(":")
    if not password or own or not separator:
        return url
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}{slash}{path}"


def required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise ConfigError(f"{name} is not set and no local stack is running: start one with `paretofarm up`")
    return value


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}, not a number of seconds") from error
    if not value > 0:
        raise ConfigError(f"{name} is {text}, must be more than 0")
    return value
