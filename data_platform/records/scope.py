"""In whose name a transaction runs: what row-level security compares every row with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SYSTEM: Final = "system:"

PLATFORM: Final = "platform"
"""What rows about the platform itself (its disk, its backups) have as their dataset.

It is the name of no dataset, so no permission opens it: administrators and the platform's own parts see such rows.
"""

_DATASET: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Scope:
    """A user and the datasets whose rows the transaction may see; None stands for all of them.

    Users named ``system:<name>`` are the platform's own parts and always see everything; no account can have such
    a name.
    """

    user: str
    datasets: frozenset[str] | None

    def __post_init__(self) -> None:
        if not self.user or "\n" in self.user:
            raise ValueError("a scope needs a user, named in one line")
        if self.user.startswith(SYSTEM) and self.datasets is not None:
            raise ValueError("a system scope is never limited to datasets")
        for name in self.datasets or ():
            if not _DATASET.fullmatch(name):
                raise ValueError("a dataset's name is lower-case letters, digits and underscores")

    @classmethod
    def system(cls, name: str) -> Scope:
        """Return the scope of a part of the platform, such as ``Scope.system("sync")``."""
        return cls(f"{SYSTEM}{name}", None)

    @property
    def setting(self) -> str:
        """The value of `app.datasets`: names joined by commas, or ``*`` for all."""
        return "*" if self.datasets is None else ",".join(sorted(self.datasets))
