"""The audit's rows for people and for scripts: what `audit show` prints."""

from __future__ import annotations

import json

from data_platform.cli.output import print_json, print_table, say
from data_platform.records.platform_audit import AuditEntry
from data_platform.records.query_audit import AuditedQuery


def print_actions(entries: list[AuditEntry], *, as_json: bool) -> None:
    """Print entries of `platform_audit`, newest first."""
    if as_json:
        print_json([entry.document() for entry in entries])
        return
    if not entries:
        say("No action matches.")
        return
    print_table(
        "Actions, newest first",
        ["Id", "When (UTC)", "Who", "Action", "Dataset", "Subject", "Before", "After", "Why"],
        [
            [
                entry.id,
                f"{entry.created_at:%Y-%m-%d %H:%M:%S}",
                entry.actor,
                entry.action,
                entry.dataset,
                entry.subject,
                _short(entry.old_value),
                _short(entry.new_value),
                entry.reason,
            ]
            for entry in entries
        ],
        grouped=False,
    )


def print_queries(queries: list[AuditedQuery], texts: dict[int, str | None] | None, *, as_json: bool) -> None:
    """Print rows of `data_query_audit`, newest first, with their texts when these are given."""
    if as_json:
        rows = [query.document() for query in queries]
        print_json([{**row, "query": texts.get(int(str(row["id"])))} for row in rows] if texts is not None else rows)
        return
    if not queries:
        say("No query matches.")
        return
    titles = ["Id", "When (UTC)", "Who", "Dataset", "Result", "Rows", "Milliseconds", "Version", "From", "Attempt"]
    print_table(
        "Queries, newest first",
        [*titles, "Query"] if texts is not None else titles,
        [
            [
                query.id,
                f"{query.created_at:%Y-%m-%d %H:%M:%S}",
                query.user_id,
                query.dataset,
                query.result or "attempt",
                query.row_count,
                query.duration_ms,
                query.manifest_version,
                query.client_ip,
                query.attempt_id,
                *([texts.get(query.id)] if texts is not None else []),
            ]
            for query in queries
        ],
        grouped=False,
        essential=("Result",) if texts is None else ("Result", "Query"),
    )


def _short(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=str, ensure_ascii=False)
