"""deploy/tls/make_certificates.sh, with OpenSSL: what clients check holds, and what is there is kept or renewed."""

import os
import re
import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from compose_file import ROOT

SCRIPT = ROOT / "deploy/tls/make_certificates.sh"


class Deployment:
    """folder: what the servers mount. authority: what only the script sees."""

    def __init__(self, root: Path) -> None:
        self.folder, self.authority = root / "tls", root / "authority"
        self.folder.mkdir()
        self.authority.mkdir()

    def make(self, names: str = "") -> "subprocess.CompletedProcess[str]":
        argv = ["sh", str(SCRIPT), str(self.folder), str(self.authority), names]
        environment = {"PATH": os.environ["PATH"], "BROKER_GROUP": str(os.getgid())}
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=30)

    def text(self, option: str) -> str:
        argv = ["openssl", "x509", "-in", str(self.folder / "server.pem"), "-noout", *option.split()]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout

    def digest(self) -> str:
        return self.text("-fingerprint -sha256")


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def handshake(deployment: Deployment, name: str) -> bool:
    """Whether a client that trusts ca.pem alone takes the server for `name`, by Python's ssl, without a network."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(deployment.folder / "server.pem", deployment.folder / "postgres.key")
    client_side = ssl.create_default_context(cafile=deployment.folder / "ca.pem")
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return client.getpeercert() != {}


@pytest.mark.parametrize(
    "name", ["postgres", "broker", "localhost", "127.0.0.1", "farm.example", "192.0.2.7", "fd00::7"]
)
def test_clients_accept_every_name_that_was_asked_for(deployment: Deployment, name: str) -> None:
    assert deployment.make("farm.example 192.0.2.7 fd00::7").returncode == 0
    assert handshake(deployment, name)


def test_clients_refuse_any_other_name(deployment: Deployment) -> None:
    deployment.make("farm.example")
    assert not handshake(deployment, "other.example")


def test_keys_are_for_their_server_alone(deployment: Deployment) -> None:
    deployment.make()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in deployment.folder.iterdir()}
    assert modes == {"server.pem": 0o644, "ca.pem": 0o644, "names": 0o644, "postgres.key": 0o600, "broker.key": 0o640}
    assert stat.S_IMODE((deployment.authority / "ca.key").stat().st_mode) == 0o600


def test_a_second_start_changes_nothing(deployment: Deployment) -> None:
    deployment.make("farm.example")
    first = deployment.digest()
    assert deployment.make("farm.example").stderr == ""
    assert deployment.digest() == first


def test_other_names_make_another_certificate_of_the_same_authority(deployment: Deployment) -> None:
    deployment.make("farm.example")
    first, authority = deployment.digest(), (deployment.folder / "ca.pem").read_bytes()
    assert "DNS:other.example" in deployment.make("other.example").stderr
    assert deployment.digest() != first
    assert (deployment.folder / "ca.pem").read_bytes() == authority
    assert handshake(deployment, "other.example")


def test_a_certificate_that_ends_soon_is_made_anew(deployment: Deployment, tmp_path: Path) -> None:
    short = tmp_path / "short.sh"
    short.write_text(re.sub(r"days=\d+", "days=29", SCRIPT.read_text(encoding="utf-8"), count=1))
    argv = ["sh", str(short), str(deployment.folder), str(deployment.authority), ""]
    environment = {"PATH": os.environ["PATH"], "BROKER_GROUP": str(os.getgid())}
    subprocess.run(argv, env=environment, check=True, capture_output=True, timeout=30)
    first = deployment.digest()
    deployment.make()
    assert deployment.digest() != first


def test_a_start_that_was_cut_off_is_made_good(deployment: Deployment) -> None:
    deployment.make()
    (deployment.folder / "names").unlink()
    deployment.make()
    assert handshake(deployment, "postgres")


def test_certificates_of_your_own_are_left_alone(deployment: Deployment) -> None:
    (deployment.folder / "server.pem").write_text("mine")
    assert deployment.make("farm.example").returncode == 0
    assert [file.name for file in deployment.folder.iterdir()] == ["server.pem"]
    assert list(deployment.authority.iterdir()) == []


@pytest.mark.parametrize("name", ["a/b", "farm.example,DNS:other", "$(id)"])
def test_what_is_no_name_is_told(deployment: Deployment, name: str) -> None:
    done = deployment.make(name)
    assert done.returncode == 1
    assert done.stderr.startswith("certificates: PARETOFARM_TLS_NAMES holds names and addresses")
    assert list(deployment.folder.iterdir()) == []
