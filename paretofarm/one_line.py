"""Any text as one line of a log, a table or a CSV file."""


def one_line(text: str) -> str:
    """The text without line breaks and control characters, so that one error is one line in any log."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
