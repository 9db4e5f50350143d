"""Each runbook is run from top to bottom, and everything comes as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_platform_tests.cli.runbooks.machine import Machine, open_machine
from data_platform_tests.cli.runbooks.matching import fill, match
from data_platform_tests.cli.runbooks.page import Command, NotRun, SetUp, read_page
from data_platform_tests.cli.runbooks.setups import SETUPS
from data_platform_tests.cli.runbooks.test_form import PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_does_what_the_page_says(
    page: Path, untouched_demo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_machine(untouched_demo_home) as machine:
        monkeypatch.chdir(machine.folder)
        for step in read_page(page):
            if isinstance(step, SetUp):
                SETUPS[step.name](machine)
            elif isinstance(step, Command):
                _run(page, step, machine)
            else:
                assert isinstance(step, NotRun)


def _run(page: Path, command: Command, machine: Machine) -> None:
    text = fill(command.text, machine.names)
    code, printed = machine.shell.run(text)
    place = f"{page.name}:{command.line}: $ {text}"
    found = match(command.shown, printed, machine.names)
    assert code == command.code, f"{place}\nended with {code}, not {command.code}:\n{printed}"
    assert not isinstance(found, str), f"{place}\n{found}\n{printed}"
    assert "Traceback" not in printed, f"{place}\n{printed}"
    machine.names |= found
