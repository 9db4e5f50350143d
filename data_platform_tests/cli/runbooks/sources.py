"""Set-ups of the source: rows that are wrong, and put right again; a restatement; an account and its password."""

from __future__ import annotations

from data_platform_tests.cli.runbooks.machine import Machine

_KEPT = "CREATE TABLE crsp.kept AS SELECT * FROM crsp.dsf_v2 WHERE dlycaldt BETWEEN '2024-01-01' AND '2024-12-31'"
_TAKEN = "DELETE FROM crsp.dsf_v2 WHERE dlycaldt BETWEEN '2024-03-01' AND '2024-12-31'"
_BACK = "INSERT INTO crsp.dsf_v2 SELECT * FROM crsp.kept WHERE dlycaldt >= '2024-03-01'"
_RESTATED = "UPDATE crsp.dsf_v2 SET dlyret = dlyret + 0.0001 WHERE dlycaldt = '2023-06-01' AND dlyret IS NOT NULL"
_ODD = (
    "UPDATE crsp.dsf_v2 SET dlyprc = dlyprc * 100, dlyclose = dlyclose * 100, dlylow = dlylow * 100, "
    "dlyhigh = dlyhigh * 100, dlyopen = dlyopen * 100, dlybid = dlybid * 100, dlyask = dlyask * 100, "
    "dlycap = dlycap * 100 WHERE dlycaldt = '2023-07-05' AND permno IN "
    "(SELECT permno FROM crsp.dsf_v2 WHERE dlycaldt = '2023-07-05' AND dlyprcflg = 'TR' ORDER BY permno LIMIT 3)"
)


def lost_rows(machine: Machine) -> None:
    """The source has lost most of 2024."""
    machine.change_source(_KEPT)
    machine.change_source(_TAKEN)


def rows_are_back(machine: Machine) -> None:
    """The source has them again."""
    machine.change_source(_BACK)
    machine.change_source("DROP TABLE crsp.kept")


def a_restatement(machine: Machine) -> None:
    """The source has corrected the returns of one day of 2023."""
    machine.change_source(_RESTATED)


def odd_prices(machine: Machine) -> None:
    """Three prices of one day of 2023 are a hundredfold of what they were: every rule lets them pass."""
    machine.change_source(_ODD)


def an_account(machine: Machine) -> None:
    """The synthetic WRDS stands where the real one would; the account's name and password are words of the page."""
    there = machine.source
    machine.shell.variables |= {
        "DATA_PLATFORM_WRDS_HOST": str(there.socket_folder),
        "DATA_PLATFORM_WRDS_PORT": str(there.port),
        "DATA_PLATFORM_WRDS_DBNAME": there.dbname,
        "HOME": str(machine.folder),
    }
    machine.names |= {"user": there.reader, "password": there.reader_password}
