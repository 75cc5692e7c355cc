"""Passwords in files, as containers get them: `PARETOFARM_DATABASE_PASSWORD_FILE` names a file with what
`PARETOFARM_DATABASE_PASSWORD` would say. Neither shows in `docker inspect` or `ps`.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from paretofarm.errors import ConfigError
from paretofarm.settings import PASSWORD_OF, with_password

SUFFIX = "_FILE"
LARGEST_BYTES = 4096
CONTAINER_SECRETS = Path("/run/secrets")
"""Here the container is the border, and engines mount secrets readable for everybody inside."""


def with_secrets(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with the password in each server's address. Errors: ConfigError naming variable and file."""
    urls = {url: environment[url] for url in PASSWORD_OF if environment.get(url)}
    complete = {url: with_password(text, _password(environment, PASSWORD_OF[url])) for url, text in urls.items()}
    return {**environment, **complete}


def read_secret(path: Path) -> str:
    """A secret's text without the line break at its end. Errors: ConfigError where it is none, or not private."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if mode & (stat.S_IROTH | stat.S_IWOTH) and CONTAINER_SECRETS not in path.absolute().parents:
        raise ConfigError(f"{path}: everybody on this machine may read it: chmod o= {path}")
    return as_secret(path, content)


def as_secret(path: Path, content: bytes) -> str:
    """The text of a file's content. Errors: ConfigError, which names the file and not the text."""
    if len(content) > LARGEST_BYTES:
        raise ConfigError(f"{path}: more than {LARGEST_BYTES} bytes: not a password")
    try:
        text = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start})") from error
    if not text:
        raise ConfigError(f"{path}: is empty")
    if not text.isprintable():
        raise ConfigError(f"{path}: holds more than one line, or control characters")
    return text


def _password(environment: Mapping[str, str], name: str) -> str:
    """Empty where none is set."""
    password, file = environment.get(name, ""), environment.get(name + SUFFIX)
    if not file:
        return password
    if password:
        raise ConfigError(f"{name} and {name}{SUFFIX} are both set: set one of them")
    try:
        return read_secret(Path(file))
    except ConfigError as error:
        raise ConfigError(f"{name}{SUFFIX}: {error}") from error
