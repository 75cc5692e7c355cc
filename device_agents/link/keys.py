"""The RSA key pair of ADB: a PEM private key, and the public half in Android's own format (`android_pubkey.c`).

The files are those of Google's `adb` (`adbkey`, `adbkey.pub`), which can use the pair through ADB_VENDOR_KEYS.
"""

import base64
import binascii
import contextlib
import getpass
import os
import socket
import struct
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from paretofarm.errors import ConfigError

MODULUS_BYTES = 256
# Length in 32-bit words, -1/n[0] mod 2^32, modulus and Montgomery's R^2 (both little-endian), exponent.
ANDROID_KEY = struct.Struct(f"<II{MODULUS_BYTES}s{MODULUS_BYTES}sI")


def ensure_key_pair(path: Path) -> Path:
    """Absolute path of the private key; makes the pair where there is none. `PATH.pub` is beside it."""
    path = path.expanduser().absolute()
    if not path.exists():
        _create_private_key(path)
    public_path = public_key_path(path)
    if not public_path.exists():
        _write_whole(public_path, public_key_line(_load_private_key(path)).encode(), mode=0o644)
    return path


def public_key_path(path: Path) -> Path:
    return path.with_name(path.name + ".pub")


def public_key_line(key: rsa.RSAPrivateKey) -> str:
    """The line that a phone keeps in `/data/misc/adb/adb_keys`: base64 of the Android struct, then a comment."""
    numbers = key.public_key().public_numbers()
    word = 1 << 32
    packed = ANDROID_KEY.pack(
        MODULUS_BYTES // 4,
        word - pow(numbers.n % word, -1, word),
        numbers.n.to_bytes(MODULUS_BYTES, "little"),
        pow(1 << (MODULUS_BYTES * 8), 2, numbers.n).to_bytes(MODULUS_BYTES, "little"),
        numbers.e,
    )
    return f"{base64.b64encode(packed).decode()} {_owner()}"


def parse_public_key_line(line: str) -> rsa.RSAPublicKey:
    """Reads one line in Android's format. Raises `ConfigError` on anything else."""
    try:
        packed = base64.b64decode(line.split()[0], validate=True)
        words, _, modulus, _, exponent = ANDROID_KEY.unpack(packed)
    except (IndexError, binascii.Error, struct.error) as error:
        raise ConfigError("not an Android public key") from error
    if words != MODULUS_BYTES // 4:
        raise ConfigError("not a 2048-bit Android public key")
    return rsa.RSAPublicNumbers(exponent, int.from_bytes(modulus, "little")).public_key()


def _create_private_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_whole(path, pem, mode=0o600)


def _write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Writes a new file that appears whole or not at all; a file that is there already wins (two agents may start)."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


def _load_private_key(path: Path) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ConfigError(f"{path}: not a private key in PEM format") from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != MODULUS_BYTES * 8:
        raise ConfigError(f"{path}: ADB needs a 2048-bit RSA key")
    return key


def _owner() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = "unknown"
    return f"{user}@{socket.gethostname() or 'unknown'}"
