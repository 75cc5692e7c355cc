"""The base of everything that is read from an experiment file."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Immutable; a key that is not known is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
