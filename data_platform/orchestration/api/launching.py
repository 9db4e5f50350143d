"""Syncs that are ordered over HTTP become runs in the queue, in the way in which Dagster's own UI launches them.

Leans on internals of Dagster 1.13.27: the mutation `launchRun`, asked of the governed schema in this process, with the
request's own context; `data_platform_tests/orchestration/api` fails when it moves.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from dagster._core.workspace.permissions import Permissions
from graphene import Schema
from typing_extensions import override

from data_platform.catalog import Partitioning
from data_platform.catalog.stretches import stretches
from data_platform.errors import NotPermittedError, PlatformError
from data_platform.governance.manual_syncs import Syncing
from data_platform.governance.sync_service import SyncLauncher, SyncOrder
from data_platform.orchestration.audit import REASON_TAG
from data_platform.orchestration.launches import Span, find_syncing, named, spans_of
from data_platform.orchestration.launching import partition_tags
from data_platform.orchestration.webserver.context import GovernedRequestContext

_LAUNCH: Final = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on UnauthorizedError { message }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_PARTITION: Final = "dagster/partition"
_JOB: Final = "__ASSET_JOB"


class QueueLauncher(SyncLauncher):
    """Puts what is ordered into the queue, as the user of a request."""

    def __init__(self, context: GovernedRequestContext, schema: Schema) -> None:
        self._context = context
        self._schema = schema

    @override
    def syncing(self, order: SyncOrder) -> Syncing | None:
        return find_syncing(self._context.instance, [order.table], [Span(key, key) for key in _keys(order)])

    @override
    def launch(self, order: SyncOrder) -> str:
        """Launch the order, one run for each stretch of adjacent partitions, and return the last run's id.

        Raises:
            NotPermittedError: when Dagster refuses it.
            PlatformError: when the code server does not know the table's asset, or the run could not be queued.
        """
        runs = [self._launch(order, chosen) for chosen in stretches(_keys(order)) or [[]]]
        return runs[-1]

    def _launch(self, order: SyncOrder, chosen: list[str]) -> str:
        tags = partition_tags(chosen) or ({_PARTITION: chosen[0]} if chosen else {})
        parameters = {
            "selector": {**self._repository(order.table.name), "assetSelection": [{"path": [order.table.name]}]},
            "mode": "default",
            "runConfigData": {
                "ops": {f"sync_{order.table.name}": {"config": {"full": order.full, "reason": order.reason}}}
            },
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in {**tags, REASON_TAG: order.reason}.items()]
            },
        }
        with self._context.admitting((order.table.name, named(spans_of(tags)))):
            # The service runs in a thread, where there is no event loop yet.
            schema: Any = self._schema
            answer: Any = asyncio.run(
                schema.execute_async(_LAUNCH, context_value=self._context, variable_values={"parameters": parameters})
            )
        data = cast("dict[str, Any]", answer.data or {})
        result = cast("dict[str, Any]", data.get("launchRun") or {})
        if answer.errors or result.get("__typename") != "LaunchRunSuccess":
            raise _refusal(order, result)
        return str(result["run"]["runId"])

    def _repository(self, table: str) -> dict[str, str]:
        """Where the asset of a table is defined, and the job that materializes it."""
        for location in self._context.code_locations:
            for repository in location.get_repositories().values():
                if any(node.asset_key.path == [table] for node in repository.get_asset_node_snaps()):
                    return {
                        "repositoryLocationName": location.name,
                        "repositoryName": repository.name,
                        "jobName": _JOB,
                    }
        raise PlatformError(f"The code server does not know the asset {table}.", hint="Look at it in Dagster's UI.")


def _keys(order: SyncOrder) -> list[str]:
    return [] if order.table.partitioning is Partitioning.WHOLE else list(order.partitions)


def _refusal(order: SyncOrder, result: dict[str, Any]) -> PlatformError:
    if result.get("__typename") == "UnauthorizedError":
        return NotPermittedError(
            f"Dagster does not let you launch {order.table.name}: {Permissions.LAUNCH_PIPELINE_EXECUTION}."
        )
    return PlatformError(
        f"The run of {order.table.name} could not be put into the queue.", hint="Look at its runs in Dagster's UI."
    )
