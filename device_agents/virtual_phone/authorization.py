"""Which computers may connect: the public keys that somebody has accepted."""

from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from device_agents.link.keys import parse_public_key_line
from paretofarm.errors import ConfigError


class AuthorizedKeys:
    """Files of public keys in Android's format, one a line, read anew for each signature: a key can be added live."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)

    def check(self) -> None:
        """Raises `ConfigError` naming the file that cannot be used."""
        self._load()

    def accept(self, token: bytes, signature: bytes) -> bool:
        """Whether the signature over the token is by one of the keys. The token stands for a SHA-1 digest (AOSP)."""
        return any(_verifies(key, token, signature) for key in self._load())

    def _load(self) -> list[rsa.RSAPublicKey]:
        keys = []
        for path in self._paths:
            try:
                lines = path.read_text().splitlines()
                keys += [parse_public_key_line(line) for line in lines if line.strip()]
            except (OSError, ValueError) as error:
                raise ConfigError(f"{path}: cannot be read as public keys: {error}") from error
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from error
        return keys


def _verifies(key: rsa.RSAPublicKey, token: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, token, padding.PKCS1v15(), Prehashed(hashes.SHA1()))
    except InvalidSignature:
        return False
    return True
