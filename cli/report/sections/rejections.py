"""What did not come to an end, and why."""

from cli.report.blocks import Block, Section, Table, Words, row
from db.dossier import Dossier, Run
from paretofarm.lifecycle import CandidateStatus

MOST_ROWS = 20
SHOWN = (CandidateStatus.COMPLETE, CandidateStatus.INFEASIBLE, CandidateStatus.FAILED)


def section(dossier: Dossier) -> Section:
    columns = ("search", *(status.value for status in SHOWN), "not ended", "attempts repeated")
    rows = tuple(row(run.name, *_counts(run)) for run in dossier.runs)
    blocks: list[Block] = [Table("Candidates by what became of them", columns, rows)]
    reasons = [
        row(run.name, status.value, reason, str(count))
        for run in dossier.runs
        for (status, reason), count in run.rejections.items()
    ]
    if not reasons:
        return Section("Failures", "failures", [*blocks, Words("Nothing failed, and no limit was broken.")])
    caption = "Limits that were broken, and errors; these candidates are in no front and no figure"
    blocks.append(Table(caption, ("search", "status", "reason", "candidates"), tuple(reasons[:MOST_ROWS]), texts=3))
    return Section("Failures", "failures", blocks)


def _counts(run: Run) -> tuple[str, ...]:
    ended = [run.counts[status] for status in SHOWN]
    repeats = sum(work.repeats for work in run.work)
    return (*(str(count) for count in ended), str(sum(run.counts.values()) - sum(ended)), str(repeats))
