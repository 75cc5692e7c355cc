"""Whether a network's size tells how fast it is: the reason to measure."""

from cli.report.blocks import Block, Figure, Section, Words
from cli.report.chart import Chart, Dot
from cli.report.naming import metric_label
from cli.report.scatter import drawn, values_of
from cli.words import metric_text
from db.dossier import Dossier
from db.plot_points import PlotPoints
from paretofarm.rank_correlation import kendall, spearman

ENOUGH = 3
LATENCY = "latency_ms"


def section(dossier: Dossier) -> Section:
    title, anchor = "Size against measured latency", "sizes"
    device = dossier.own.front.device
    known = {name: points for name, points in dossier.own.sizes.items() if len(points.columns["id"]) >= ENOUGH}
    if not known or device is None:
        return Section(title, anchor, [Words("Too few networks were measured to compare size and latency.")])
    blocks: list[Block] = [_figure(name, points, device) for name, points in known.items()]
    lead = "If parameters or multiply-accumulates (MACs) told the order of latencies, nobody would need to measure."
    return Section(title, anchor, [Words(lead), *blocks])


def _figure(name: str, points: PlotPoints, device: str) -> Figure:
    indices = drawn(len(points.columns["id"]))
    sizes, latencies = values_of(points, indices, name), values_of(points, indices, LATENCY)
    rho, tau = spearman(sizes, latencies), kendall(sizes, latencies)
    dots = tuple(
        Dot(size, latency, tip=f"candidate {points.columns['id'][index]}: {metric_text(name, size)}, {latency:.4g} ms")
        for index, size, latency in zip(indices, sizes, latencies, strict=True)
    )
    chart = Chart(
        x_label=metric_label(name),
        y_label=metric_label(LATENCY, device),
        description=f"latency against {name} of {len(dots)} networks: Spearman's ρ {rho:.2f}, Kendall's τ {tau:.2f}",
        dots=dots,
        half=True,
    )
    correlation = f"Spearman's ρ {rho:.2f}, Kendall's τ {tau:.2f} over {len(dots)} networks."
    return Figure(chart, f"{metric_label(name).capitalize()}: {correlation}")
