"""What all this took, and what that costs."""

from cli.report.blocks import Block, Row, Section, Table, Words, row
from cli.words import duration
from db.dossier import Dossier, Run
from paretofarm.cost import HOUR_S, Rates

WHAT = (
    "Times are those for which somebody held a lease on the work, all attempts counted: GPU-hours are hours of "
    "training, on whatever trained; phone-hours are of measuring and scoring. A computer that trains two networks at a "
    "time counts twice."
)
NO_RATES = "The experiment file has no prices (rates:), so that it cannot be said what this costs in money."


def section(dossier: Dossier) -> Section:
    rates = dossier.own.search.experiment.rates
    money = (f"cost ({rates.currency})",) if rates else ()
    columns = ("search", "GPU-hours", "phone-hours", "hours of building and compiling", "from begin to end", *money)
    rows = [_row(run, rates) for run in dossier.runs]
    blocks: list[Block] = [Table("What each search took", columns, tuple(rows))]
    if rates:
        total = sum(rates.cost(run.spent) for run in dossier.runs)
        blocks.append(Words(f"Together {total:,.2f} {rates.currency}, at {_prices(rates)}."))
    blocks += [_stages(dossier), Words(WHAT, note=True)]
    return Section("Cost", "cost", blocks if rates else [*blocks, Words(NO_RATES, note=True)])


def _row(run: Run, rates: Rates | None) -> Row:
    spent = run.spent
    hours = [f"{seconds / HOUR_S:.3g}" for seconds in (spent.train_s, spent.phone_s, spent.host_s)]
    return row(run.name, *hours, duration(run.elapsed_s), *([f"{rates.cost(spent):,.2f}"] if rates else []))


def _prices(rates: Rates) -> str:
    prices = (("GPU", rates.gpu_hour), ("phone", rates.phone_hour), ("computer", rates.cpu_hour))
    return ", ".join(f"{price:g} an hour of {name}" for name, price in prices)


def _stages(dossier: Dossier) -> Table:
    rows = tuple(
        row(
            run.name,
            work.stage.value,
            str(work.evaluations),
            duration(work.spent_s),
            duration(work.spent_s / work.evaluations) if work.evaluations else "-",
        )
        for run in dossier.runs
        for work in run.work
    )
    return Table("By stage", ("search", "stage", "evaluations", "time", "time each"), rows, texts=2)
