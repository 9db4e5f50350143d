"""What each mutation of Dagster's GraphQL is, so that each has its rule; one that is not here is an administrator's.

A mutation that Dagster adds fails `data_platform_tests/orchestration/webserver/test_matrix.py` until it stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from data_platform.catalog import DATASETS
from data_platform.governance.permissions import Action, Decision, User, decide, is_administrator
from data_platform.orchestration.webserver.verdicts import ADMINISTRATORS_ONLY


class Kind(StrEnum):
    """What a mutation does, as far as it matters who may."""

    RUN = "launches runs, which the coordinator lets in"
    BACKFILL = "launches a backfill"
    BACKFILL_AGAIN = "launches a backfill anew"
    SCHEDULE = "turns a schedule or a sensor on or off, or tries it"
    OWN_RUNS = "ends runs: one's own, or, for administrators, all"
    OWN_BACKFILL = "ends a backfill: one's own, or, for administrators, all"
    ADMINISTRATION = "everything else that changes something"
    HARMLESS = "changes nothing that matters"


MUTATIONS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(
        (
            "launchPipelineExecution",
            "launchRun",
            "launchMultipleRuns",
            "launchPipelineReexecution",
            "launchRunReexecution",
        ),
        Kind.RUN,
    ),
    "launchPartitionBackfill": Kind.BACKFILL,
    "resumePartitionBackfill": Kind.BACKFILL_AGAIN,
    "reexecutePartitionBackfill": Kind.BACKFILL_AGAIN,
    **dict.fromkeys(
        (
            "startSchedule",
            "stopRunningSchedule",
            "resetSchedule",
            "startSensor",
            "setSensorCursor",
            "stopSensor",
            "resetSensor",
            "sensorDryRun",
            "scheduleDryRun",
        ),
        Kind.SCHEDULE,
    ),
    **dict.fromkeys(("terminatePipelineExecution", "terminateRun", "terminateRuns"), Kind.OWN_RUNS),
    "cancelPartitionBackfill": Kind.OWN_BACKFILL,
    **dict.fromkeys(
        (
            "deletePipelineRun",
            "deleteRun",
            "reloadRepositoryLocation",
            "reloadWorkspace",
            "shutdownRepositoryLocation",
            "wipeAssets",
            "reportRunlessAssetEvents",
            "reportAssetCheckEvaluations",
            "addDynamicPartition",
            "deleteDynamicPartitions",
            "setAppManagedComponent",
            "deleteAppManagedComponent",
            "refreshComponentState",
            "setAutoMaterializePaused",
            "setConcurrencyLimit",
            "deleteConcurrencyLimit",
            "freeConcurrencySlotsForRun",
            "freeConcurrencySlots",
        ),
        Kind.ADMINISTRATION,
    ),
    **dict.fromkeys(("logTelemetry", "setNuxSeen"), Kind.HARMLESS),
}


def kind_of(mutation: str) -> Kind:
    """What a mutation is; one that nobody has looked at is an administrator's."""
    return MUTATIONS.get(mutation, Kind.ADMINISTRATION)


def decide_mutation(user: User, kind: Kind, *, own: bool = False) -> Decision:
    """Decide before Dagster looks at what exactly is asked for; it and the coordinator decide about the dataset.

    `own` says that everything the mutation would end was launched by the user.
    """
    if user.disabled:
        return Decision(allowed=False, reason=f"User {user.user_id} is disabled.")
    if kind is Kind.HARMLESS or is_administrator(user):
        return Decision(allowed=True)
    if kind in {Kind.OWN_RUNS, Kind.OWN_BACKFILL} and own:
        return Decision(allowed=True)
    if kind in {Kind.RUN, Kind.BACKFILL, Kind.BACKFILL_AGAIN}:
        return _with_any_dataset(user, Action.TRIGGER_DATA_SYNC)
    if kind is Kind.SCHEDULE:
        return _with_any_dataset(user, Action.MANAGE_SYNC_SCHEDULE)
    return Decision(allowed=False, reason=ADMINISTRATORS_ONLY)


def _with_any_dataset(user: User, action: Action) -> Decision:
    decision = decide(user, action)
    if not decision.allowed or any(decide(user, action, dataset).allowed for dataset in DATASETS):
        return decision
    return Decision(allowed=False, reason=f"{user.user_id} has the permission of no dataset.")
