"""Processes that run on wait for servers that are away; commands do not."""

import logging
import time
from collections.abc import Callable

from paretofarm.errors import ParetofarmError

log = logging.getLogger(__name__)

PAUSE_S = 2.0


def until_it_answers(ask: Callable[[], None], away: type[ParetofarmError]) -> None:
    """Asks again and again while `away` is raised, and says so at every try. Any other error is for the caller."""
    while True:
        try:
            ask()
            return
        except away as error:
            log.warning("waiting: %s", error)
            time.sleep(PAUSE_S)
