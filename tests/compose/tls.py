"""compose.tls.yml: who comes over the network comes encrypted, knows whom it talks to, or is turned away."""

import socket
import ssl
import tempfile
from pathlib import Path

from farm import ALWAYS_ON, DEMO, CheckFailed, Farm, check, timed
from small_search import check_small_search
from walls import check_walls

NAME = "farm.example"
TIMEOUT_S = 10.0
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")  # PostgreSQL's protocol, 55.2.11 and 55.7: what a client sends first
STARTUP = b"\x00\x03\x00\x00user\x00scheduler\x00database\x00paretofarm\x00\x00"


def check_tls(farm: Farm, seed: int) -> None:
    timed("up", lambda: farm.up(*ALWAYS_ON, "exporter"))
    check_walls(farm)
    check_small_search(farm)
    _check_everyone_is_encrypted(farm)
    _check_plain_text_is_refused(farm)
    _check_strangers_are_refused(farm)
    _check_from_outside(farm)
    farm.up(*ALWAYS_ON, *DEMO)


def _check_everyone_is_encrypted(farm: Farm) -> None:
    rows = farm.sql(
        "SELECT DISTINCT a.usename, s.ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)"
        " WHERE a.client_addr IS NOT NULL ORDER BY 1"
    )
    users = ("agent", "dashboard", "reader", "scheduler", "worker")
    check(rows == [f"{user}|t" for user in users], f"all services use TLS: {rows}")


def _check_plain_text_is_refused(farm: Farm) -> None:
    plain = "postgresql://scheduler@postgres:5432/paretofarm?sslmode=disable"
    said = _refusal(farm, "-e", f"PARETOFARM_DATABASE_URL={plain}", "cli", "search", "list")
    check("no encryption" in said, "Postgres refuses plain text, though the password is right")
    with _connect(farm, "broker", 6379) as broker:
        broker.sendall(b"PING\r\n")
        check(b"PONG" not in _answer(broker) and b"NOAUTH" not in _answer(broker), "the broker refuses plain text")


def _check_strangers_are_refused(farm: Farm) -> None:
    """A server that another authority vouches for, or that has another name, is none of ours."""
    url = "postgresql://scheduler@postgres:5432/paretofarm?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"
    said = _refusal(farm, "-e", f"PARETOFARM_DATABASE_URL={url}", "cli", "search", "list")
    check("certificate verify failed" in said, "a client with another authority does not trust this Postgres")
    doctor = ("--entrypoint", "sh", "cli", "-c", "paretofarm doctor || true")
    said = farm.run("--no-deps", "-e", "PARETOFARM_BROKER_URL=rediss://broker:6379/0", *doctor)
    check("certificate verify failed" in said.lower(), "nor this broker")
    address = farm.compose("exec", "-T", "postgres", "hostname", "-i").split()[0]
    url = f"postgresql://scheduler@{address}:5432/paretofarm?sslmode=verify-full&sslrootcert=/tls/ca.pem"
    said = _refusal(farm, "-e", f"PARETOFARM_DATABASE_URL={url}", "cli", "search", "list")
    check("does not match host name" in said, "nor under another name")


def _check_from_outside(farm: Farm) -> None:
    """As another host sees it, by the published port: under a name that was asked for later."""
    named = Farm(farm.project, {**farm.environment, "PARETOFARM_TLS_NAMES": NAME}, farm.overrides, farm.profiles)
    named.run("certificates")
    named.compose("restart", "postgres", "broker")
    named.up("postgres", "broker")
    with tempfile.TemporaryDirectory() as folder:
        authority = Path(folder) / "ca.pem"
        authority.write_text(named.run("--no-deps", "--entrypoint", "cat", "certificates", "/volumes/tls/ca.pem"))
        trusting = ssl.create_default_context(cafile=authority)
    with _connect(named, "broker", 6379) as plain, trusting.wrap_socket(plain, server_hostname=NAME) as broker:
        broker.sendall(b"PING\r\n")
        check(_answer(broker).startswith(b"-NOAUTH"), f"the broker answers as {NAME}, and asks for a password")
    with _connect(named, "postgres", 5432) as plain:
        plain.sendall(SSL_REQUEST)
        check(plain.recv(1) == b"S", "Postgres offers TLS at its published port")
        with trusting.wrap_socket(plain, server_hostname=NAME) as postgres:
            postgres.sendall((len(STARTUP) + 4).to_bytes(4, "big") + STARTUP)
            check(b"SCRAM-SHA-256" in _answer(postgres), f"Postgres answers as {NAME}, and asks for a password")


def _refusal(farm: Farm, *arguments: str) -> str:
    try:
        return farm.run("--no-deps", *arguments)
    except CheckFailed as error:
        return str(error)


def _connect(farm: Farm, service: str, port: int) -> socket.socket:
    host, _, published = farm.compose("port", service, str(port)).strip().rpartition(":")
    return socket.create_connection((host, int(published)), TIMEOUT_S)


def _answer(connection: socket.socket) -> bytes:
    """What comes, or nothing where the other side hangs up."""
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""
