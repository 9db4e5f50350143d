"""What every room of the explorer works with, and the check that stands before each of them."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from data_platform.errors import DiskSpaceError, PlatformError
from data_platform.governance.audit_key import QueryCipher, open_cipher
from data_platform.governance.audited import Question, refuse
from data_platform.governance.engine.engine import QueryEngine
from data_platform.governance.permissions import Action, User, decide, require
from data_platform.records import rate_limits
from data_platform.records.connection import Records
from data_platform.records.rate_limits import EXPORTS, QUERIES, Limit
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse.disk import require_room
from data_platform.warehouse.warehouse import Warehouse

SCOPE = Scope.system("explorer")


@dataclass(frozen=True, slots=True)
class Door:
    """Records, warehouse, settings and engine of one service."""

    records: Records
    warehouse: Warehouse
    settings: Settings
    engine: QueryEngine

    @property
    def cipher(self) -> QueryCipher:
        """The cipher of texts that are kept.

        Raises:
            ConfigurationError: as `open_cipher` does.
        """
        return open_cipher(self.settings)

    @property
    def exports(self) -> Path:
        """Where results and exports lie, a folder for each user."""
        return self.settings.warehouse_root / "exports"

    @property
    def query_limit(self) -> Limit:
        """How many queries a user may run."""
        return QUERIES.of(self.settings.queries_per_minute)

    @property
    def export_limit(self) -> Limit:
        """How many exports a user may make."""
        return EXPORTS.of(self.settings.exports_per_hour)

    def permit(self, user: User, question: Question, *actions: Action) -> None:
        """Let the user pass who may do all of these on the dataset; a refusal is recorded.

        Raises:
            NotPermittedError: naming the permission that is missing.
            ConfigurationError: no key to record the refusal with.
        """
        for action in actions:
            if not decide(user, action, question.dataset).allowed:
                refuse(self.records, self.cipher, question)
            require(user, action, question.dataset)

    def require_room(self, size: int) -> None:
        """Keep results from filling the disk that the warehouse and the records need: the rule for syncs is theirs too.

        Raises:
            PlatformError: when it is too full for so many bytes.
        """
        try:
            require_room(self.warehouse.disk(), size)
        except DiskSpaceError:
            raise PlatformError(
                "There is no room on the server to keep this result.",
                hint="An administrator can see to the disk with `data-platform doctor`.",
            ) from None

    def remaining(self, user: User, limit: Limit) -> int:
        """How many more times the user may do this now."""
        with self.records.transaction(SCOPE) as connection:
            return rate_limits.remaining(connection, limit, user.user_id)


@cache
def shared_engine(require_sandbox: bool) -> QueryEngine:  # noqa: FBT001 - the key of a cache
    """The process's engine; its fork server is started by the first query and ended with the process."""
    engine = QueryEngine(require_sandbox=require_sandbox)
    atexit.register(engine.close)
    return engine
