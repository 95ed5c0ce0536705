"""Long lines broken where Python and a reader allow it."""

from __future__ import annotations

from collections.abc import Sequence

LIMIT = 140


def statement(text: str, indent: int) -> str:
    """Return an assignment on one line, or with its right side in parentheses over several."""
    if indent + len(text) <= LIMIT:
        return text
    target, sign, value = text.partition(" = ")
    if not sign:
        target, sign, value = text.partition(" += ")
    inner = "\n".join("    " + line for line in _filled(value, LIMIT - indent - 4))
    return f"{target}{sign}(\n{inner}\n)"


def call(name: str, arguments: tuple[str, ...], indent: int) -> str:
    """Return a call on one line, or with its arguments over several."""
    text = f"{name}({', '.join(arguments)})"
    if indent + len(text) <= LIMIT:
        return text
    width = LIMIT - indent - 4
    lines = [""]
    for argument in arguments:
        # A line ends behind an argument; one that is too long for itself is broken, too.
        for word in _filled(f"{argument},", width):
            if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
                lines.append(word)
            else:
                lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\n".join([f"{name}(", *(f"    {line}" for line in lines), ")"])


def listed(names: Sequence[str]) -> str:
    """Return names as they stand in a sentence: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def comment(text: str, indent: int) -> str:
    """Return a comment, continued lines set in."""
    lines = _filled(text, LIMIT - indent - 6)
    return "\n".join([f"# {lines[0]}", *(f"#     {line}" for line in lines[1:])])


def _filled(text: str, width: int) -> list[str]:
    """Break before operators and after commas; a piece without a space stays whole."""
    lines = [""]
    for word in _pieces(text):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _pieces(text: str) -> list[str]:
    """Split at spaces, each operator kept with the operand that follows it."""
    pieces: list[str] = []
    pending = ""
    for word in text.split(" "):
        if word in ("+", "-", "*", "/", "**", "·", "−", "if", "else", "and", "or", "not", "@", "==", "!=", "<=", ">=", "<", ">", "=", "%"):
            pending = f"{pending} {word}" if pending else word
        else:
            pieces.append(f"{pending} {word}" if pending else word)
            pending = ""
    return pieces + ([pending] if pending else [])


__all__ = ["LIMIT", "call", "comment", "listed", "statement"]
