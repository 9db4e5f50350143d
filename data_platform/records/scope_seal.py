"""The seal of a scope: what makes the database believe `app.user` and `app.datasets`.

Every policy asks the database whether the transaction's settings carry a valid seal, an HMAC-SHA256 under a key that
only the tables' owner reads. The service's own role cannot make one, so a statement that should never have run, in
the name of one user, cannot turn into another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

import psycopg

from data_platform.errors import ConfigurationError
from data_platform.records.reaching import reach
from data_platform.records.scope import Scope

SET_SCOPE: Final = """
    SELECT set_config('app.user', %s, true), set_config('app.datasets', %s, true), set_config('app.seal', %s, true),
           set_config('search_path', 'platform', true), set_config('statement_timeout', '30s', true),
           set_config('row_security', 'on', true), platform.app_user() AS app_user
"""
"""Takes what `ScopeSeals.settings` returns, and tells whom the database believes the transaction to be.

It ends with the transaction. Whatever a transaction before it did to the session's settings does not count.
"""


@dataclass(frozen=True, slots=True)
class ScopeSeals:
    """Makes seals; holds the key as HMAC (RFC 2104) uses it, already combined with its two constants."""

    _inner: bytes = field(repr=False)
    _outer: bytes = field(repr=False)

    @classmethod
    def load(cls, owner_url: str) -> Self:
        """Read the key as the tables' owner.

        Raises:
            ConfigurationError: when the database lacks the tables of this code.
            DatabaseUnavailableError: when it can't be reached.
        """
        with reach(owner_url) as connection:
            try:
                row = connection.execute("SELECT inner_key, outer_key FROM platform.scope_keys").fetchone()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                row = None
        if row is None:
            raise ConfigurationError(
                "The database is older than this code: it has no key for scopes.", hint="Run: data-platform db migrate"
            )
        return cls(bytes(row[0]), bytes(row[1]))

    def settings(self, scope: Scope) -> tuple[str, str, str]:
        """Return the values of `app.user`, `app.datasets` and `app.seal` for a scope."""
        message = f"{scope.user}\n{scope.setting}".encode()
        seal = hashlib.sha256(self._outer + hashlib.sha256(self._inner + message).digest()).hexdigest()
        return scope.user, scope.setting, seal
