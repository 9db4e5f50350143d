"""A backfill meets the rules of manual syncs when it is launched, once for all its runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import dagster as dg
from dagster_graphql.schema.runs import parse_run_config_input

from data_platform.catalog import Table
from data_platform.errors import UsageError
from data_platform.governance.manual_syncs import ManualSync, Syncing, admit
from data_platform.governance.permissions import require_administrator
from data_platform.orchestration.launches import (
    Span,
    Spans,
    backfill_spans,
    find_syncing,
    named,
    reason_given,
    require_partitions,
    tables_named,
)
from data_platform.orchestration.webserver.context import GovernedRequestContext
from data_platform.settings import load_settings


def admit_backfill(context: GovernedRequestContext, parameters: Mapping[str, Any]) -> None:
    """Let a backfill begin that GraphQL's `LaunchBackfillParams` describe.

    The reason is the one in its configuration, its tag, its description or its title.

    Raises:
        NotPermittedError, UsageError, RateLimitedError, LockBusyError, DatabaseUnavailableError: as `admit` does.
    """
    chosen = _listed(parameters, "partitionsByAssets")
    keys = [*_listed(parameters, "assetSelection"), *(each["assetKey"] for each in chosen)]
    tables = tables_named(dg.AssetKey(key["path"]) for key in keys)
    spans = [Span(key, key) for key in _listed(parameters, "partitionNames")]
    for each in chosen:
        spans += _ranges(each)
    if parameters.get("allPartitions"):
        spans = []
    tags = {tag["key"]: tag["value"] for tag in _listed(parameters, "tags")}
    reason = (
        reason_given(_config(parameters), tags)
        or (parameters.get("description") or "").strip()
        or (parameters.get("title") or "").strip()
    )
    # Dagster looks at every asset that is named; what is no table of the catalog, only administrators may launch.
    if not tables or len(tables) < len({tuple(key["path"]) for key in keys}):
        require_administrator(context.user)
    _admit(context, tables, spans, reason, "a backfill", {table.name: spans for table in tables})


def admit_again(context: GovernedRequestContext, backfill_id: str) -> None:
    """Let a backfill begin anew.

    Raises:
        UsageError: when there is no such backfill; and what `admit` raises.
    """
    backfill = context.instance.get_backfill(backfill_id)
    if backfill is None:
        raise UsageError("There is no such backfill.")
    tables = tables_named(backfill.asset_selection or ())
    if not tables:
        require_administrator(context.user)
    spans = {table.name: backfill_spans(backfill, table) for table in tables}
    every = [span for table in tables for span in spans[table.name]]
    _admit(context, tables, every, f"Backfill {backfill_id} again", f"backfill {backfill_id} again", spans, backfill_id)


def _admit(
    context: GovernedRequestContext,
    tables: tuple[Table, ...],
    spans: Spans,
    reason: str,
    subject: str,
    spans_of: Mapping[str, Spans],
    but: str | None = None,
) -> None:
    def syncing() -> Syncing | None:
        found = (find_syncing(context.instance, [table], spans_of[table.name], but=but) for table in tables)
        return next((each for each in found if each), None)

    def check() -> None:
        # Without partitions it is for all that there are.
        if spans:
            require_partitions(tables, spans, load_settings())

    wanted = ManualSync(tables, named(spans), reason, subject, context.client_ip)
    admit(context.records, context.user, wanted, syncing=syncing, check=check)


def _config(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    given = parameters.get("runConfigData")
    parsed = parse_run_config_input(given, raise_on_error=False) if given else None
    return cast("Mapping[str, Any]", parsed) if isinstance(parsed, Mapping) else {}


def _listed(parameters: Mapping[str, Any], name: str) -> list[Any]:
    """A list of GraphQL's input, which may be missing or null."""
    return cast("list[Any]", parameters.get(name) or [])


def _ranges(chosen: Mapping[str, Any]) -> list[Span]:
    partitions: Mapping[str, Any] = chosen.get("partitions") or {}
    ranges = [*_listed(partitions, "ranges"), *([partitions["range"]] if partitions.get("range") else [])]
    return [Span(each["start"], each["end"]) for each in ranges]
