"""The machine that a page is run on: a copy of the demo, its server running, and what set-ups may want."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from data_platform.cli import output
from data_platform.records.connection import Records, open_records
from data_platform.records.databases import DemoServer
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse
from data_platform_tests.cli.runbooks.shell import Shell
from data_platform_tests.demo_fixtures import as_owner
from data_platform_tests.folders import short_folder


@dataclass
class Machine:
    """Its folders, its records, a terminal; `names` are words that pages write as `<name>`."""

    folder: Path
    settings: Settings
    records: Records
    shell: Shell
    until_the_end: ExitStack
    names: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def home(self) -> Path:
        """DATA_PLATFORM_HOME."""
        return self.settings.home

    @property
    def warehouse(self) -> Warehouse:
        """The home's warehouse."""
        return Warehouse(self.settings.warehouse_root)

    @property
    def source(self) -> DemoServer:
        """The synthetic WRDS of this home."""
        demo = self.records.databases.demo
        assert demo is not None
        return demo

    def change_source(self, statement: str) -> None:
        """Change rows of the synthetic WRDS."""
        with as_owner(self.source) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def run(self, command: str, *, code: int = 0) -> str:
        """Run a command that a set-up needs, which must end so."""
        ended, printed = self.shell.run(command)
        assert ended == code, f"{command} ended with {ended}: {printed}"
        return printed


WIDTH: Final = 900
"""No table is folded, however long the path of a folder or the name of the machine is."""

SetUpFunction = Callable[[Machine], None]


@contextmanager
def open_machine(demo_home: Path) -> Generator[Machine]:
    """A machine of its own with a copy of the demo's home."""
    # The path of the server's socket must stay short.
    folder = short_folder()
    home = folder / "h"
    shutil.copytree(demo_home, home, symlinks=True)
    settings = Settings(home=home)
    try:
        with ExitStack() as stack:
            stack.enter_context(_wide_terminal())
            records = stack.enter_context(open_records(settings))
            yield Machine(folder, settings, records, Shell(folder, home, {"COLUMNS": str(WIDTH)}), stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _wide_terminal() -> Generator[None]:
    consoles = (output.stdout, output.stderr)
    before = [console.width for console in consoles]
    for console in consoles:
        console.width = WIDTH
    try:
        yield
    finally:
        for console, width in zip(consoles, before, strict=True):
            console.width = width
