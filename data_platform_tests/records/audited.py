"""What tests read of `platform_audit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from data_platform.records import chain, platform_audit
from data_platform.records.chain import Head
from data_platform.records.chain_check import ChainFollower
from data_platform.records.connection import Records
from data_platform.records.scope import Scope


def audited(records: Records) -> list[tuple[object, ...]]:
    """Return the entries, oldest first, once the chain has been verified."""
    with records.transaction(Scope.system("test")) as connection:
        assert first_break(chain.read_chain(connection, chain.PLATFORM_AUDIT)) is None
        return [
            (entry.actor, entry.action, entry.dataset, entry.subject, entry.old_value, entry.new_value, entry.reason)
            for entry in platform_audit.recent(connection)[::-1]
        ]


def first_break(rows: Iterable[Mapping[str, Any]], start: Head | None = None) -> int | None:
    """Return the id of the first row that does not follow from those before; None when all do."""
    follower = ChainFollower(start)
    follower.feed(rows)
    return follower.breaks[0].row if follower.breaks else None
