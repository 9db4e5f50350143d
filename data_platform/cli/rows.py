"""Values of a query as cells of a table."""

from __future__ import annotations

from data_platform.cli.output import print_table, say, stdout
from data_platform.cli.table_layout import how_many_fit
from data_platform.governance.result_rows import plain


def shown(value: object) -> object:
    """One value as a cell of a table: numbers stay numbers, the rest is text as people write it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return value if isinstance(value, str) else str(plain(value))


def print_fitting(title: str, names: list[str], rows: list[list[object]], instead: str) -> None:
    """Print the columns that fit, and what to do instead when some do not.

    Numbers are shown as they are, since a column of integers may hold years or codes.
    """
    cells = [[shown(value) for value in row] for row in rows]
    fitting = columns_that_fit(names, cells, stdout.width)
    print_table(title, names[:fitting], [row[:fitting] for row in cells], grouped=False)
    left_out = len(names) - fitting
    if left_out:
        say(f"{left_out} more column{' does' if left_out == 1 else 's do'} not fit here: {instead}.")


def columns_that_fit(names: list[str], rows: list[list[object]], width: int) -> int:
    """How many columns, from the left and at least one, can be shown whole in so many characters."""
    widths = [max([len(name), *(len(str(row[index])) for row in rows)]) for index, name in enumerate(names)]
    return how_many_fit(widths, width)
