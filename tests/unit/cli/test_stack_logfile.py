"""Logs that are kept small, and what they are asked for."""

from pathlib import Path

from cli.stack.logfile import bound_log, complaint, read_tail


def test_a_log_below_the_limit_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("x" * 100)
    bound_log(log, limit=100)
    assert log.read_text() == "x" * 100


def test_a_log_above_the_limit_is_emptied_and_its_end_kept(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100 + b"b" * 50)
        bound_log(log, limit=100)
        writer.write(b"c")  # as the process does that still has it open
    assert log.read_text() == "c"
    assert (tmp_path / "worker.log.1").read_text() == "b" * 50


def test_a_missing_log_is_nothing_to_bound_or_read(tmp_path: Path) -> None:
    bound_log(tmp_path / "none.log")
    assert read_tail(tmp_path / "none.log") == ""


def test_a_tail_begins_where_it_is_told_and_is_limited(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("earlier run\nthis run\n")
    assert read_tail(log, start=12) == "this run\n"
    assert read_tail(log, start=0, limit=4) == "run\n"


def test_postgres_complaint_is_its_last_error_with_the_detail() -> None:
    log = (
        "2026-01-01 00:00:00.000 UTC [7] LOG:  starting\n"
        "2026-01-01 00:00:00.100 UTC [7] FATAL:  database files are incompatible with server\n"
        "2026-01-01 00:00:00.100 UTC [7] DETAIL:  The data directory was initialized by PostgreSQL version 12.\n"
    )
    assert complaint(log) == (
        "database files are incompatible with server; The data directory was initialized by PostgreSQL version 12."
    )


def test_a_full_disk_is_named_whatever_followed_from_it() -> None:
    log = (
        '2026-01-01 00:00:00.000 UTC [7] PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device\n'
        "2026-01-01 00:00:00.100 UTC [6] LOG:  startup process (PID 7) was terminated by signal 6: Aborted\n"
        "2026-01-01 00:00:00.200 UTC [6] FATAL:  checkpoint request failed\n"
        "2026-01-01 00:00:00.200 UTC [6] HINT:  Consult recent messages in the server log for details.\n"
    )
    assert complaint(log) == 'could not write to file "pg_wal/xlogtemp.7": No space left on device'


def test_initdbs_complaint_is_not_hidden_by_its_hint() -> None:
    output = 'initdb: error: could not create directory "/x": No space left\ninitdb: removing data directory\n'
    assert complaint(output) == 'could not create directory "/x": No space left'


def test_another_programs_complaint_is_its_last_line() -> None:
    assert complaint("one\n\ntwo \n") == "two"
    assert complaint("") == "no output"
