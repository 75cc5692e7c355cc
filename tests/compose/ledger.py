"""What the database says that was done: the questions that a lost or doubled evaluation would answer wrongly."""

from farm import Farm, check

TABLES = (
    "experiments", "candidates", "evaluations", "measurements", "training_metrics", "artifacts", "candidate_artifacts",
    "events", "phones", "reference_checks", "phone_work",
)  # fmt: skip


def counts(farm: Farm) -> dict[str, int]:
    """Rows by table."""
    query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in TABLES)
    return {name: int(count) for name, _, count in (line.partition("|") for line in farm.sql(query))}


def status(farm: Farm, search: str) -> str:
    return "".join(farm.sql(f"SELECT status FROM experiments WHERE name = '{search}'"))


def check_search(farm: Farm, search: str, candidates: int, least_epochs: int = 3) -> None:
    """Everything was done, once. least_epochs: at least so many were trained for each candidate."""
    check(status(farm, search) == "finished", f"{search} is finished")
    complete = farm.sql("SELECT count(*) FROM candidates WHERE status = 'complete'")
    check(complete == [str(candidates)], f"{candidates} candidates are complete")
    failed = farm.sql("SELECT id, reason FROM candidates WHERE status = 'failed'")
    check(not failed, f"no candidate failed ({failed})")
    open_work = farm.sql("SELECT id FROM evaluations WHERE status IN ('queued', 'leased')")
    check(not open_work, "nothing is queued or leased any more")
    twice = farm.sql(
        "SELECT candidate_id, stage, device, rung FROM evaluations GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
    )
    check(not twice, "no candidate has an evaluation twice")
    _check_events(farm)
    measured = farm.sql("SELECT evaluation_id FROM measurements GROUP BY 1 HAVING count(*) > 1")
    check(not measured, "no measurement is recorded twice")
    epochs = farm.sql(
        "SELECT e.candidate_id FROM evaluations e JOIN training_metrics m ON m.evaluation_id = e.id"
        " WHERE e.stage = 'train' GROUP BY e.candidate_id"
        f" HAVING count(*) <> count(DISTINCT m.epoch) OR count(*) < {least_epochs}"
    )
    check(not epochs, "every candidate's learning curve is whole, each epoch once")


def _check_events(farm: Farm) -> None:
    done = farm.sql(
        "SELECT e.id FROM evaluations e LEFT JOIN events v ON v.evaluation_id = e.id AND v.kind = 'evaluation_done'"
        " WHERE e.status = 'done' GROUP BY e.id HAVING count(v.id) <> 1"
    )
    check(not done, "every evaluation that is done was reported once")
