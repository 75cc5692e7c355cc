"""Why somebody is not let in."""

from paretofarm.errors import UserError


class Unauthorized(UserError):
    """A token is needed."""


class Forbidden(UserError):
    """The token's scope does not include that."""


class TooManyAttempts(UserError):
    """Too many attempts."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"too many attempts to log in: try again in {wait_s:.0f} s")
        self.wait_s = wait_s
