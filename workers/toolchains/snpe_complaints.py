"""What SNPE's converter, quantizer and graph compiler complain of, in one line that names op and node. Pure.

The forms are from the SDK's documentation and from what users report; none was seen here.
"""

import re

_UNKNOWN_OP = (
    re.compile(r"No translation registered for op type (?:onnx_)?(?P<op>\w+)\.\s*Op name:\s*(?P<node>[^\s'\"]+)"),
    re.compile(r"(?P<node>\S+): Op ?[Tt]ype:? (?P<op>\w+) (?:is )?not supported"),
    re.compile(r"(?:validate|add)OpConfig\w* .*?[Oo]p (?:name )?(?P<node>[\w./:-]+)[^\n]*[Tt]ype (?P<op>\w+)"),
)
_NODE = re.compile(r"Node (?P<node>[\w./:-]+):\s*(?P<reason>[^\n]+)")
_ERROR = re.compile(r"^.*?\b(?:ERROR|Error|error)\b[\s:-]*(?P<reason>[^\n]+)$", re.MULTILINE)
LONGEST = 300


def complaint(output: str) -> str:
    """The reason in a failed tool's output: the op and node that it names, else its first error, else its end."""
    for pattern in _UNKNOWN_OP:
        if found := pattern.search(output):
            return f"op {found['op']} (node {found['node']}) is not supported"
    if found := _NODE.search(output):
        return f"node {found['node']}: {found['reason'].strip()}"[:LONGEST]
    if found := _ERROR.search(output):
        return found["reason"].strip()[:LONGEST]
    return " ".join(output.split())[-LONGEST:] or "it says nothing"
