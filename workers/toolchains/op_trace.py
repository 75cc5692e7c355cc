"""What the HTP compiler says of each node that it cannot take. Pure: reads `qnn_op_trace.json`.

The format is that of onnxruntime-qnn 2.7.0, schema version 2.
"""

import json
from dataclasses import dataclass

from paretofarm.errors import ConversionFailed

_WRAPPING = frozenset({"QuantizeLinear", "DequantizeLinear"})
MOST_NAMED = 5


@dataclass(frozen=True)
class UnsupportedNode:
    """A node of the network that the HTP cannot have, and why."""

    op: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"op {self.op} (node {self.name}): {self.reason}"


def parse_op_trace(text: str) -> tuple[UnsupportedNode, ...]:
    """In the order of the graph. What only wraps a refused op (quantization) is left out, unless nothing else is."""
    try:
        found = [_node(entry) for entry in json.loads(text)["unsupported_nodes"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionFailed(f"the HTP compiler's op trace is not readable: {error!r}") from error
    return tuple(node for node in found if node.op not in _WRAPPING) or tuple(found)


def refusal(nodes: tuple[UnsupportedNode, ...], chip: str) -> str:
    """One line that names the ops."""
    named = "; ".join(str(node) for node in nodes[:MOST_NAMED])
    more = f"; and {len(nodes) - MOST_NAMED} more" if len(nodes) > MOST_NAMED else ""
    return f"{chip} cannot run {named}{more}"


def _node(entry: dict[str, object]) -> UnsupportedNode:
    return UnsupportedNode(
        op=str(entry["op_type"]),
        name=str(entry["node_name"] or f"number {entry['node_index']}"),
        reason=" ".join(str(entry["reason"]).split()).rstrip(".") or "no reason given",
    )
