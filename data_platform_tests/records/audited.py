"""What tests read of `platform_audit`."""

from __future__ import annotations

from data_platform.records import chain, chain_check, platform_audit
from data_platform.records.connection import Records
from data_platform.records.scope import Scope


def audited(records: Records) -> list[tuple[object, ...]]:
    """Return the entries, oldest first, once the chain has been verified."""
    with records.transaction(Scope.system("test")) as connection:
        assert chain_check.first_break(chain.read_chain(connection, chain.PLATFORM_AUDIT)) is None
        return [
            (entry.actor, entry.action, entry.dataset, entry.subject, entry.old_value, entry.new_value, entry.reason)
            for entry in platform_audit.recent(connection)[::-1]
        ]
