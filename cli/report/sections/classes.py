"""How well each class is found."""

from cli.report.blocks import Cell, Row, Section, Table, Words
from cli.report.naming import network_name, pick_names
from db.dossier import Dossier, Network
from paretofarm.task import Task

MOST_COLUMNS = 8


def section(dossier: Dossier) -> Section:
    networks = _columns(dossier)
    known = {name: None for network in networks for name in network.per_class}
    named = [name for name in (networks[0].class_names if networks else ()) if name in known]
    names = list(dict.fromkeys([*named, *known]))
    if not names:
        return Section("Classes", "classes", [Words("No scores by class were kept.")])
    measures = ("iou", "f1") if dossier.task is Task.SEGMENTATION else ("f1",)
    tables = [_table(dossier, networks, names, measure) for measure in measures]
    return Section("Classes", "classes", tables)


def _columns(dossier: Dossier) -> list[Network]:
    """The picked ones, then other members of the front."""
    picked = pick_names(dossier)
    known = [network for network in dossier.networks if network.per_class]
    known.sort(key=lambda network: (network.id not in picked, not network.on_front, _rank(dossier, network)))
    return known[:MOST_COLUMNS]


def _rank(dossier: Dossier, network: Network) -> int:
    order = list(dossier.picks.values())
    return order.index(network.id) if network.id in order else network.candidate.number


def _table(dossier: Dossier, networks: list[Network], names: list[str], measure: str) -> Table:
    heads = (network_name(dossier, network) for network in networks)
    where = "on the device, test images" if networks[0].score else "in float32, validation images"
    counted = dossier.task.counted
    caption = f"{'IoU' if measure == 'iou' else 'F1'} by class {where}; {counted}: the class's share of the labels"
    return Table(caption, ("class", counted, *heads), tuple(_row(networks, name, measure) for name in names))


def _row(networks: list[Network], name: str, measure: str) -> Row:
    scores = [network.per_class.get(name) for network in networks]
    cells = [Cell(f"{each[measure]:.3f}", share=each[measure]) if each else Cell("does not occur") for each in scores]
    return Row((Cell(name), Cell(_share(networks[0], name)), *cells))


def _share(network: Network, name: str) -> str:
    pixels = {each: scores["pixels"] for each, scores in network.per_class.items() if scores}
    total = sum(pixels.values())
    return f"{pixels.get(name, 0) / total:.1%}" if total else "-"
