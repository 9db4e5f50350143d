"""What pages may ask for before their next command, by the name that they write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from data_platform_tests.cli.runbooks import accounts, locked, queries, receivers, sources, stored
from data_platform_tests.cli.runbooks.machine import SetUpFunction

SETUPS: Final[Mapping[str, SetUpFunction]] = {
    "a-working-writer": locked.a_working_writer,
    "that-writer-is-stopped": locked.that_writer_is_stopped,
    "a-killed-writer": locked.a_killed_writer,
    "a-lock-of-another-host": locked.another_hosts_lock,
    "a-source-that-lost-rows": sources.lost_rows,
    "a-source-that-has-them-again": sources.rows_are_back,
    "a-source-that-restated": sources.a_restatement,
    "a-source-with-odd-prices": sources.odd_prices,
    "an-operator-and-a-viewer": accounts.an_operator_and_a_viewer,
    "an-analyst": accounts.an_analyst,
    "a-running-query": queries.a_running_query,
    "that-query-has-ended": queries.that_query_has_ended,
    "exports-of-yesterday": queries.exports_of_yesterday,
    "a-wrds-account": sources.an_account,
    "a-damaged-file": stored.a_damaged_file,
    "a-damaged-manifest": stored.a_damaged_manifest,
    "old-lines": stored.old_lines,
    "a-changed-audit-row": stored.a_changed_audit_row,
    "days-summed-up": stored.days_summed_up,
    "a-place-for-backups": stored.a_place_for_backups,
    "a-place-that-is-away": stored.a_place_that_is_away,
    "that-place-is-back": stored.that_place_is_back,
    "a-receiver": receivers.a_receiver,
    "the-receiver-is-away": receivers.the_receiver_is_away,
}
