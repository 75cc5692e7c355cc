"""The parts of the virtual phone that need no connection."""

import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.link.shell import parse_free_bytes
from device_agents.virtual_phone import tools
from device_agents.virtual_phone.firmware import install_firmware
from device_agents.virtual_phone.paths import OutputMapper, host_path, map_command, needs_no_quoting, output_roots
from device_agents.virtual_phone.protocol import Command, Packet, ProtocolError, read_packet
from device_agents.virtual_phone.run import run_phone
from device_agents.virtual_phone.state import PhoneState, change_state, free_bytes, load_state
from device_agents.virtual_phone.stream import Stream, StreamClosed
from paretofarm.errors import ConfigError

ROOT = Path("/tmp/root")


# Paths


@pytest.mark.parametrize(
    ("command", "mapped"),
    [
        ("cat /data/local/tmp/x", "cat /tmp/root/data/local/tmp/x"),
        (
            "cat '/data/a b' >/sdcard/out 2>/data/err",
            "cat '/tmp/root/data/a b' >/tmp/root/sdcard/out 2>/tmp/root/data/err",
        ),
        ("P=/data/bin:/vendor/lib64 x", "P=/tmp/root/data/bin:/tmp/root/vendor/lib64 x"),
        ("ls /data", "ls /tmp/root/data"),
        ("ls /database /home/data $D/data ./data ${D}/data ~/data /data.old", None),
        ("cat /tmp/data /proc/1/stat //data", None),
    ],
)
def test_paths_of_the_phone_are_mapped_in_commands(command: str, mapped: str | None) -> None:
    assert map_command(ROOT, command) == (mapped or command)


@pytest.mark.parametrize("path", ["/data/x", "data/x", "/data/../../../data/x", "//data/./x"])
def test_files_stay_below_the_root(path: str) -> None:
    assert host_path(ROOT, path) == ROOT / "data/x"


@given(st.data())
def test_output_is_mapped_back_wherever_it_is_cut(data: st.DataObject) -> None:
    parts = st.sampled_from(
        [b"/tmp/root/data", b"/tmp/root", b"/tmp/root2/x", b"\n", b"/tmp/roo", b"\0\xff", b"/", b"x"]
    )
    whole = b"".join(data.draw(st.lists(parts, max_size=8)))
    once = OutputMapper((b"/tmp/root",))
    expected = once.feed(whole) + once.finish()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    mapper = OutputMapper((b"/tmp/root",))
    pieces = [mapper.feed(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert b"".join(pieces) + mapper.finish() == expected


@pytest.mark.parametrize(
    ("output", "mapped"),
    [
        (b"/tmp/root\n", b"/\n"),
        (b"/tmp/root/data/x /tmp/root/", b"/data/x /"),
        (b"/tmp/root-2/x /tmp/rooted", b"/tmp/root-2/x /tmp/rooted"),
        (b"\0\xfe/tmp/root", b"\0\xfe/"),
    ],
)
def test_root_becomes_a_slash(output: bytes, mapped: bytes) -> None:
    mapper = OutputMapper((b"/tmp/root",))
    assert mapper.feed(output) + mapper.finish() == mapped


def test_linked_root_is_known_by_both_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert set(output_roots(tmp_path / "link")) == {os.fsencode(tmp_path / "link"), os.fsencode(tmp_path / "real")}


def test_roots_with_special_characters_need_an_alias() -> None:
    assert needs_no_quoting(Path("/tmp/a-b_c.d/e"))
    assert not any(needs_no_quoting(Path(name)) for name in ("/tmp/a b", "/tmp/it's", "/tmp/$x", "/tmp/a:b", "/tmp/é"))


# Packets and streams


@pytest.mark.parametrize("with_checksum", [True, False])
def test_packets_pass_a_socket(with_checksum: bool) -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(Packet(Command.WRTE, 1, 2, b"payload").pack(with_checksum=with_checksum))
        assert read_packet(there, verify_checksum=with_checksum) == Packet(Command.WRTE, 1, 2, b"payload")


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1] + b"!", lambda d: b"GET /" + d[5:], lambda d: d[:12] + b"\xff" * 4 + d[16:]]
)
def test_damaged_packets_are_refused(damage) -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(damage(Packet(Command.WRTE, 1, 2, b"payload").pack(with_checksum=True)))
        with pytest.raises(ProtocolError):
            read_packet(there, verify_checksum=True)


def test_client_that_leaves_is_a_connection_error() -> None:
    here, there = socket.socketpair()
    with there:
        here.sendall(b"CNX")
        here.close()
        with pytest.raises(ConnectionError):
            read_packet(there, verify_checksum=True)


def test_exact_reads_span_payloads() -> None:
    stream = Stream(1, 2, lambda _: None, 1024)
    for payload in (b"ab", b"c", b"defg"):
        stream.deliver(payload)
    assert [stream.read(1), stream.read(4), stream.read_some()] == [b"a", b"bcde", b"fg"]
    stream.hang_up()
    with pytest.raises(StreamClosed):
        stream.read(1)


def test_writes_wait_for_each_acknowledgement() -> None:
    sent: list[bytes] = []

    def send(packet: Packet) -> None:
        sent.append(packet.payload)
        threading.Timer(0.01, stream.acknowledge).start()

    stream = Stream(1, 2, send, 4)
    stream.write(b"0123456789")
    assert sent == [b"0123", b"4567", b"89"]


def test_hanging_up_ends_a_waiting_write() -> None:
    stream = Stream(1, 2, lambda _: threading.Timer(0.01, stream.hang_up).start(), 4)
    with pytest.raises(StreamClosed):
        stream.write(b"01")


# State and tools


@pytest.fixture
def root(tmp_path: Path) -> Path:
    install_firmware(tmp_path / "phone", "SERIAL7")
    return tmp_path / "phone"


def test_state_can_be_changed_while_the_phone_runs(root: Path) -> None:
    assert load_state(root) == PhoneState()
    change_state(root, thermal_status=3, battery_level=12)
    assert (load_state(root).thermal_status, load_state(root).battery_level) == (3, 12)
    install_firmware(root, "SERIAL7")
    assert load_state(root).thermal_status == 3


def test_unknown_fields_of_a_newer_state_are_left_out(root: Path) -> None:
    (root / "state.json").write_text(json.dumps({"battery_level": 50, "colour": "blue"}))
    assert load_state(root) == PhoneState(battery_level=50)


def program(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the phone's programs as its shell does."""
    environment = {"PATH": f"{root}/system/bin:{os.defpath}"}
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=20)


def test_properties_follow_the_state(root: Path) -> None:
    assert program(root, "getprop", "ro.serialno").stdout == "SERIAL7\n"
    assert program(root, "getprop", "no.such").stdout == "\n"
    assert program(root, "getprop", "no.such", "a default").stdout == "a default\n"
    change_state(root, boot_completed=False, properties={"ro.build.fingerprint": "new\\n [x]"})
    listing = program(root, "getprop").stdout
    assert "[sys.boot_completed]: []\n" in listing and "[ro.build.fingerprint]: [new\\n [x]]\n" in listing
    assert program(root, "getprop", "ro.build.fingerprint").stdout == "new\\n [x]\n"


def test_battery_report_is_in_tenths_of_a_degree(root: Path) -> None:
    change_state(root, battery_temperature=41.5, battery_level=29, plugged=False)
    lines = [line.strip() for line in program(root, "dumpsys", "battery").stdout.splitlines()]
    assert {"temperature: 415", "level: 29", "USB powered: false", "status: 3"} <= set(lines)


def test_current_temperatures_follow_the_stale_ones(root: Path) -> None:
    change_state(root, skin_temperature=47.25, thermal_status=2)
    report = program(root, "dumpsys", "thermalservice").stdout
    cached, current = report.split("Current temperatures from HAL:")
    assert "Thermal Status: 2" in cached and "mValue=47.25" not in cached
    assert "Temperature{mValue=47.25, mType=3, mName=skin, mStatus=2}" in current


def test_settings_and_cmd_change_the_state(root: Path) -> None:
    assert program(root, "settings", "get", "global", "low_power").stdout == "0\n"
    assert program(root, "cmd", "settings", "put", "global", "low_power", "1").returncode == 0
    assert program(root, "settings", "get", "global", "low_power").stdout == "1\n"
    assert tools.settings(root, ["get", "system", "other"]) == ("null\n", 0)
    tools.cmd(root, ["thermalservice", "override-status", "4"])
    assert load_state(root).thermal_status == 4
    assert program(root, "cmd", "package", "list").returncode == 20


def test_df_shows_the_simulated_storage_or_the_real_one(root: Path) -> None:
    (root / "data/file").write_bytes(bytes(300 * 1024))
    assert parse_free_bytes(program(root, "df", "-k", f"{root}/data").stdout) > 300 * 1024
    change_state(root, storage_bytes=1024 * 1024)
    assert parse_free_bytes(program(root, "df", "-k", f"{root}/data").stdout) == 724 * 1024
    missing = program(root, "df", "-k", f"{root}/absent")
    assert missing.returncode == 1 and "No such file" in missing.stderr


def test_free_space_is_what_the_files_leave(root: Path) -> None:
    change_state(root, storage_bytes=10_000)
    (root / "data/file").write_bytes(bytes(4_000))
    assert free_bytes(root) == 6_000
    (root / "data/file").write_bytes(bytes(40_000))
    assert free_bytes(root) == 0


def test_a_phone_that_others_reach_must_ask_for_keys(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0 must ask for keys"):
        run_phone(root=tmp_path, serial="S", host="0.0.0.0")
