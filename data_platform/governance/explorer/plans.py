"""A dry run: what a query would read and answer with, found without reading a row."""

from __future__ import annotations

from data_platform.governance.dto import ColumnDTO, QueryPlanDTO
from data_platform.governance.explorer.asked import Asked
from data_platform.governance.explorer.door import Door
from data_platform.governance.explorer.reading import reading
from data_platform.governance.permissions import Action, User


def dry_run(door: Door, user: User, asked: Asked) -> QueryPlanDTO:
    """Permit, limit and audit as for a query; then bind and plan it.

    Raises:
        UsageError, NotPermittedError, RateLimitedError, PlatformError: as for a query.
    """
    question = asked.question(user, "dry_run")
    door.permit(user, question, Action.QUERY_DATA)
    with reading(door, user, question, asked.as_of, door.query_limit) as (readable, run):
        plan = door.engine.dry_run(
            asked.sql, readable.views, dataset=asked.dataset, parameters=asked.parameters, user=user.user_id
        )
        run.row_count = 0
        run.versions = readable.versions_of(plan.tables)
    return QueryPlanDTO(
        query_id=run.audit_id,
        dataset=asked.dataset,
        versions=run.versions,
        columns=[ColumnDTO(name=name, type=dtype) for name, dtype in plan.columns],
        canonical_sql=plan.canonical,
        estimated_rows=plan.estimated_rows,
        estimated_bytes=readable.bytes_of(plan.tables),
        duration_ms=run.duration_ms,
        remaining_queries=run.remaining,
    )
