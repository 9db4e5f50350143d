"""What a person sees: wide results, odd column names, text that would steer the terminal."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from data_platform.cli import output
from data_platform.cli.output import print_table
from data_platform.cli.query import print_rows
from data_platform.cli.rows import columns_that_fit
from data_platform.errors import ConfigurationError
from data_platform.settings import Settings
from data_platform.sync.plan import years
from data_platform_tests.cli.conftest import run_here


@pytest.mark.parametrize(
    ("names", "rows", "width", "expected"),
    [
        (["a", "b"], [[1, 2]], 80, 2),
        (["a" * 30, "b" * 30, "c" * 30], [], 80, 2),
        (["a" * 200, "b"], [], 80, 1),
        (["a", "b"], [["x" * 90, 1]], 80, 1),
        ([], [], 80, 0),
    ],
)
def test_only_columns_that_fit_whole_are_shown(
    names: list[str], rows: list[list[object]], width: int, expected: int
) -> None:
    assert columns_that_fit(names, rows, width) == expected


def test_names_and_text_are_shown_as_they_are_but_steer_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows("", pa.table({"[/foo]": ["[red]plain"], "n": [1]}))
    print_rows("", pa.table({"evil": [chr(27) + "[31mred"]}))
    shown = capsys.readouterr().out
    assert "[/foo]" in shown
    assert "[red]plain" in shown
    assert chr(27) not in shown


@pytest.mark.parametrize("width", [71, 79, 80, 81, 100])
def test_prose_is_wrapped_and_loses_no_character(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Rich narrows every column that may wrap, names too, and then cut the line at the terminal's edge."""
    monkeypatch.setattr(output, "stdout", Console(width=width, highlight=False))
    prose = "date_continuity: 211 of 252 sessions are missing: 2024-03-01, 2024-03-04, and 211 of 252 once more"
    cells = ["20261128T035317.269750Z", "crsp", "2024", 5151, prose]
    print_table("", ["Entry", "Table", "Partition", "Rows", "Findings"], [cells])
    _, _, *lines = capsys.readouterr().out.splitlines()
    assert "".join("".join(lines[1:]).split()) == "20261128T035317.269750Zcrsp20245,151" + "".join(prose.split())
    assert max(map(len, lines)) <= width


def test_one_column_too_many_is_counted_in_the_singular(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows("", pa.table({"a": [1], "b" * 200: [2]}))
    assert capsys.readouterr().err.startswith("1 more column does not fit here: select fewer")


def test_the_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    ran = run_here(tmp_path / "h", "--version")
    assert (ran.code, ran.out) == (0, f"data-platform {version('data-platform')}\n")
    assert not (tmp_path / "h").exists()


def test_a_first_year_to_come_is_one_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="2090, a year to come"):
        years(Settings(start_year=2090), dt.date(2026, 11, 20))


SLOW = ("dagster", "duckdb", "exchange_calendars", "pandas", "prometheus_client", "sqlglot", "wrds", "yfinance")
"""What only some commands need, and every command would wait for."""


def test_no_command_waits_for_libraries_that_it_does_not_use() -> None:
    code = f"import sys, data_platform.cli.main; print([name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
