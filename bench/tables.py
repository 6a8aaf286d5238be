"""Tables in Markdown, and numbers as a reader wants them. Imports no torch: see children.py."""

from collections.abc import Collection, Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]], words: Collection[int] = (0,)) -> str:
    """A table; all columns but those of ``words`` are right-aligned."""
    rules = ["---" if column in words else "---:" for column in range(len(header))]
    lines = [list(header), rules, *[list(map(str, row)) for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count(value: float) -> str:
    """Three digits that count: 12,300; 87.4; 0.0123."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def megabytes(size: float) -> str:
    """Bytes as MB."""
    return f"{size / 1e6:,.0f} MB"
