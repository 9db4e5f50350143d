"""Every command there is, with something for each argument that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import typer

from data_platform.cli.main import app

ANSWERED_BY_A_SERVER: Final = {
    "query", "export", "queries list", "queries cancel", "queries kill", "datasets", "preview", "coverage", "quality",
    "alerts list", "alerts ack", "status", "logs", "schedule list", "schedule set", "schedule enable",
    "schedule disable", "sync",
}  # fmt: skip
"""With DATA_PLATFORM_URL; the others work on the machine itself."""

KEYS_ONLY: Final = {"audit new-key", "backup new-key"}
"""They make a key out of nothing, and read and change nothing anywhere."""

_ID = "00000000-0000-4000-8000-000000000000"
_GIVEN: Final[dict[str, list[str]]] = {
    "query": ["-d", "crsp", "SELECT 1"],
    "export": ["-d", "crsp", "-o", "-", "SELECT 1"],
    "queries cancel": [_ID],
    "queries kill": [_ID, "--reason", "why"],
    "preview": ["crsp"],
    "datasets": ["crsp"],
    "coverage": ["crsp_daily"],
    "alerts ack": ["987654", "--reason", "why"],
    "schedule set": ["crsp_daily", "--timezone", "America/New_York"],
    "sync": ["crsp_daily", "-p", "2024", "--reason", "why"],
    "users add": ["somebody", "--role", "viewer"],
    "users set-role": ["somebody", "viewer"],
    "users grant": ["somebody", "dataset:crsp"],
    "users revoke": ["somebody", "dataset:crsp"],
    "users revoke-token": ["987654"],
    "audit replay": ["987654"],
    "db rollback": ["--yes"],
}


def every_command() -> Iterator[tuple[str, list[str]]]:
    """The whole name of each command, and arguments for it."""
    root: Any = typer.main.get_command(app)

    def walk(prefix: str, group: Any) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401 - typer's own class
        for name, command in group.commands.items():
            whole = f"{prefix}{name}"
            if hasattr(command, "commands"):
                yield from walk(f"{whole} ", command)
            else:
                yield whole, _GIVEN.get(whole) or _made_up(command)

    return walk("", root)


def _made_up(command: Any) -> list[str]:  # noqa: ANN401 - as above
    given: list[str] = []
    for each in command.params:
        if each.required:
            given += ["crsp_daily"] if each.param_type_name == "argument" else [each.opts[0], "crsp_daily"]
    return given
