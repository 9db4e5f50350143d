"""What the operating system refuses is told once, with what to do; the doctor goes on and tells the rest."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from data_platform.cli.system_errors import explain
from data_platform_tests.cli.conftest import run_here


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_wants_room_and_no_rights(number: int) -> None:
    said, mend = explain(OSError(number, os.strerror(number), "/home/postgres"))
    assert said == f"{os.strerror(number)} (/home/postgres)."
    assert mend.startswith("Make room")


def test_a_home_that_is_a_file_is_a_matter_of_rights(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    ran = run_here(tmp_path / "home", "status")
    assert (ran.code, ran.err.count("Error:"), "and the rights on it" in ran.err) == (1, 1, True), ran.err


def test_the_doctor_goes_on_where_the_system_refuses(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    ran = run_here(tmp_path / "home", "doctor", "--json")
    states = {finding["what"]: finding["state"] for finding in ran.json}
    assert ran.code == 1
    assert (states["python"], states["home"], states["database"]) == ("ok", "problem", "problem")
    assert "query sandbox" in states
