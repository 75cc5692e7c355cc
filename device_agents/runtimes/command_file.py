"""The operator's file of commands, as an agent reads it (`paretofarm.commands`)."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import yaml

from paretofarm.commands import COMMANDS, Command, parse_commands
from paretofarm.errors import ConfigError


def read_commands(environment: Mapping[str, str]) -> Mapping[str, Command]:
    """The commands in the file that PARETOFARM_COMMANDS names. ConfigError where it is not set, or wrong."""
    name = environment.get(COMMANDS)
    if not name:
        raise ConfigError(f"the runtime command needs a file of commands on agents: {COMMANDS} names it")
    try:
        with Path(name).open("rb") as file:
            anybody_writes = os.fstat(file.fileno()).st_mode & stat.S_IWOTH
            document = yaml.safe_load(file)
    except OSError as error:
        raise ConfigError(f"{COMMANDS}: {name}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{COMMANDS}: {name}: not YAML: {' '.join(str(error).split())}") from error
    if anybody_writes:
        raise ConfigError(f"{COMMANDS}: {name} says what is run, and everybody may write it: chmod o-w {name}")
    return parse_commands(document, name)
