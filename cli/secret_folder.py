"""A folder of secrets, one file each: what `docker compose up` makes at its first start, and what its users replace."""

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.file_errors import readable_errors
from cli.secret_files import as_secret, read_secret
from paretofarm.errors import ConfigError

LOGIN_PREFIX = "database-"
BROKER, BROKER_ACL = "broker", "broker.acl"
NAMES = (
    f"{LOGIN_PREFIX}admin",
    f"{LOGIN_PREFIX}scheduler",
    f"{LOGIN_PREFIX}worker",
    f"{LOGIN_PREFIX}agent",
    f"{LOGIN_PREFIX}reader",
    f"{LOGIN_PREFIX}dashboard",
    BROKER,
    "grafana-admin",
)
RANDOM_BYTES = 32
PRIVATE, SHARED = 0o400, 0o440


@dataclass(frozen=True)
class SecretFolder:
    """groups: who besides the owner may read a file, as a group's number by the file's name."""

    path: Path
    groups: Mapping[str, int] = field(default_factory=dict)

    def init(self) -> list[str]:
        """Makes what is missing; the names of what was made. A file that is there is never changed, only its group.

        Errors: ConfigError where the folder cannot be written or a file in it is no secret.
        """
        with readable_errors(self.path, ConfigError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = [name for name in NAMES if not (self.path / name).exists()]
        for name in made:
            self.renew(name)
        for name in NAMES:
            self._share(name)
        self._write_acl()
        return made

    def set(self, name: str, content: bytes) -> None:
        """Replaces a secret by the user's own. Errors: ConfigError."""
        self._write(name, as_secret(self.path / name, content))
        self._write_acl()

    def renew(self, name: str) -> None:
        """Replaces a secret by a random one."""
        self.set(name, secrets.token_urlsafe(RANDOM_BYTES).encode())

    def logins(self, names: Iterable[str]) -> dict[str, str]:
        """Passwords of database users by name. Errors: ConfigError where one is missing."""
        return {name: read_secret(self.path / f"{LOGIN_PREFIX}{name}") for name in names}

    def _write_acl(self) -> None:
        if (self.path / BROKER).exists():
            self._write(BROKER_ACL, acl(read_secret(self.path / BROKER)))

    def _write(self, name: str, text: str) -> None:
        """In one step; nobody but owner and group could read it at any time."""
        target = self.path / name
        new = target.with_name(f".{name}.new")
        with readable_errors(target, ConfigError):
            new.unlink(missing_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            self._let_in(new, self.groups.get(name))
            new.replace(target)

    def _share(self, name: str) -> None:
        target = self.path / name
        group = self.groups.get(name)
        if group is not None and target.stat().st_gid != group:
            with readable_errors(target, ConfigError):
                self._let_in(target, group)

    def _let_in(self, path: Path, group: int | None) -> None:
        if group is not None:
            os.chown(path, -1, group)
        path.chmod(PRIVATE if group is None else SHARED)


def acl(password: str) -> str:
    """Users of the broker, as its `aclfile`: a hash of the password, and a health check that can do nothing else.

    The service neither administers the server nor empties it.
    """
    digest = hashlib.sha256(password.encode()).hexdigest()
    return (
        f"user default on #{digest} ~* &* +@all -@admin -@dangerous +info\n"
        "user health on nopass resetkeys resetchannels -@all +ping\n"
    )
