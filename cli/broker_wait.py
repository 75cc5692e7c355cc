"""Whether the broker answers, before a process relies on it."""

import logging
from urllib.parse import urlsplit

from kombu.connection import Connection
from kombu.exceptions import OperationalError
from redis.exceptions import AuthenticationError, AuthorizationError

from cli.patience import until_it_answers
from paretofarm.errors import BrokerRefused, BrokerUnavailable

log = logging.getLogger(__name__)

TIMEOUT_S = 5.0


def ask_broker(url: str) -> None:
    """Errors: BrokerUnavailable where it does not answer, BrokerRefused where it does not let us in. Neither names the
    password.
    """
    try:
        with Connection(url, connect_timeout=TIMEOUT_S) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, interval_step=0, timeout=TIMEOUT_S)
    except (OperationalError, OSError, ValueError, KeyError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, AuthenticationError | AuthorizationError):
            raise BrokerRefused(f"the broker at {_place(url)} does not let us in: {cause}") from error
        raise BrokerUnavailable(f"the broker at {_place(url)} does not answer: {cause}") from error


def wait_for_broker(url: str) -> None:
    """Returns once it answers; says at every try that it does not. Errors: BrokerRefused."""
    until_it_answers(lambda: ask_broker(url), BrokerUnavailable)


def refuse_wrong_password(url: str) -> None:
    """For a process that goes on without a broker. Errors: BrokerRefused."""
    try:
        ask_broker(url)
    except BrokerUnavailable as error:
        log.warning("%s", error)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
