"""The form of the runbooks, the few commands that no test machine can run, and how output is compared."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest
import typer
from typer.core import TyperGroup

from data_platform.cli.main import app
from data_platform.settings import PROJECT_ROOT
from data_platform_tests.cli.runbooks.matching import fill, match
from data_platform_tests.cli.runbooks.page import Command, NotRun, PageError, SetUp, read_page
from data_platform_tests.cli.runbooks.setups import SETUPS

FOLDER: Final = PROJECT_ROOT / "docs" / "runbooks"
PAGES: Final = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")

REQUIRED: Final = frozenset(
    {
        "accounts-and-audit",
        "data-backup-restore",
        "data-quality-ops",
        "data-storage",
        "data-sync-ops",
        "dataset-explorer-ops",
        "duckdb-operations",
        "housekeeping",
        "metrics",
        "wrds-credentials",
        "wrds-lock-recovery",
    }
)

NOT_RUN: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("accounts-and-audit", "a proxy with single sign-on"): (
        "DATA_PLATFORM_IDENTITY=proxy DATA_PLATFORM_PROXY_SECRET=<secret> data-platform up",
    ),
    ("data-backup-restore", "the program age"): ("age -d -i key.txt objects/<key-name>/<ab>/<hash>.age > object",),
    ("dataset-explorer-ops", "a kernel without Landlock"): ("DATA_PLATFORM_REQUIRE_SANDBOX=true data-platform up",),
}
"""All that stays unrun: the page, what it would need, and the commands. A new one is entered here on purpose."""

_INLINE: Final = re.compile(r"`(?:[A-Z_]+=\S+ )*data-platform ([^`]+)`")


def test_the_runbooks_are_there_and_each_has_commands_that_are_run() -> None:
    assert {page.stem for page in PAGES} >= REQUIRED
    for page in PAGES:
        assert any(isinstance(step, Command) for step in read_page(page)), page.name


def test_only_these_commands_are_left_to_people() -> None:
    found = {
        (page.stem, step.reason): step.commands
        for page in PAGES
        for step in read_page(page)
        if isinstance(step, NotRun)
    }
    assert found == NOT_RUN


def test_every_set_up_exists_and_is_used() -> None:
    used = {step.name for page in PAGES for step in read_page(page) if isinstance(step, SetUp)}
    assert used == set(SETUPS)


def test_every_page_says_what_one_sees_how_it_is_over_and_whom_to_call() -> None:
    for page in PAGES:
        titles = {line.removeprefix("## ") for line in page.read_text().splitlines() if line.startswith("## ")}
        assert titles >= {"What you see", "It is over when", "When to call whom"}, page.name


def test_commands_in_sentences_and_tables_exist() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    wrong = [
        f"{page.name}: data-platform {text}"
        for page in [*PAGES, FOLDER / "README.md"]
        for text in _INLINE.findall(page.read_text())
        if not _exists(root, text)
    ]
    assert wrong == []


def test_what_does_not_exist_is_found() -> None:
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    asked = ["verify TABLE --repair", "backup run --kind weekly", "backup start", "verify --mend", "quarantine clean"]
    assert [_exists(root, text) for text in asked] == [True, True, False, False, True]


def _exists(root: TyperGroup, text: str) -> bool:
    """Whether the words name a command, and its options are some that it has."""
    group: object = root
    options: set[str] = set()
    for word in shlex.split(text.replace("…", "")):
        if isinstance(group, TyperGroup):
            if word not in group.commands:
                return False
            found = group.commands[word]
            group = found
            options = {name for each in found.params for name in (*each.opts, *each.secondary_opts)}
        elif word.startswith("-") and word.partition("=")[0] not in options:
            return False
    return True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```\n$ data-platform status\n```", "no language"),
        ("```sh\ndata-platform status\n```", "a block of sh"),
        ("```yaml\nrun: data-platform status\n```", "a block that is not run"),
        ("Do:\n\n    data-platform status", "fence it"),
        ("```console\ndata-platform status\n```", "begins with a command"),
        ("```console\n```", "an empty block"),
        ("```console\n$ data-platform status\n…\n```", "nothing is said"),
        ("```console\n$ data-platform status", "does not end"),
    ],
)
def test_a_command_cannot_hide(tmp_path: Path, text: str, said: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text + "\n")
    with pytest.raises(PageError, match=said):
        read_page(page)


def test_a_page_is_read_in_its_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- setup: a-thing -->\n1. First:\n\n   ```console\n   $ data-platform sync x   # exits with 7\n"
        "   Error: no\n"
        "   $ data-platform query \\\n   > 1\n   ```\n\nNot run by the tests: needs an account.\n\n"
        "```console\n$ data-platform up\n```\n"
    )
    assert read_page(page) == [
        SetUp(1, "a-thing"),
        Command(5, "data-platform sync x   # exits with 7", 7, ("Error: no",)),
        Command(7, "data-platform query \\\n1", 0, ()),
        NotRun(13, "an account", ("data-platform up",)),
    ]


PRINTED: Final = "Locks\n\n  Table        Writer \n ──────────────────── \n  crsp_daily   ab-12  \n\nOne lock.\n"


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (["Locks", "Table  Writer", "crsp_daily <writer>", "One lock."], {"writer": "ab-12"}),
        (["…", "crsp_daily  ab-…", "…"], {}),
        (["Locks", "…", "One …"], {}),
    ],
)
def test_what_is_shown_is_found(shown: list[str], names: dict[str, str]) -> None:
    assert match(shown, PRINTED, {}) == names


@pytest.mark.parametrize(
    "shown",
    [[], ["Locks"], ["…", "One lock.", "Locks"], ["…", "crsp_dail", "…"], ["…", "crsp_monthly …", "…"], ["One lock."]],
)
def test_what_differs_is_told(shown: list[str]) -> None:
    assert isinstance(match(shown, PRINTED, {}), str)


def test_a_name_stands_for_the_same_word_ever_after() -> None:
    assert fill("lock release crsp_daily <writer>", {"writer": "ab-12"}) == "lock release crsp_daily ab-12"
    assert match(["<writer> is free"], "ab-12 is free", {"writer": "ab-12"}) == {}
    assert isinstance(match(["<writer> is free"], "cd-34 is free", {"writer": "ab-12"}), str)
    with pytest.raises(KeyError):
        fill("lock release <other>", {})
