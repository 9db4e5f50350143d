"""Set-ups of accounts: people with tokens, whose tokens are words of the page."""

from __future__ import annotations

import json

from data_platform_tests.cli.runbooks.machine import Machine


def an_operator_and_a_viewer(machine: Machine) -> None:
    """Otto is an operator, Vera a viewer."""
    _person(machine, "otto", "operator")
    _person(machine, "vera", "viewer")


def an_analyst(machine: Machine) -> None:
    """Anna is an analyst."""
    _person(machine, "anna", "analyst")


def _person(machine: Machine, name: str, role: str) -> None:
    machine.run(f"data-platform users add {name} --role {role}")
    made = json.loads(machine.run(f"data-platform users token {name} --json"))
    machine.names[f"{role}-token"] = made["token"]
