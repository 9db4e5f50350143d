"""Who launched a run, from what the run says of its origin; a name that a caller wrote on it is never believed.

Dagster's daemon launches runs for a backfill, a schedule or a sensor, and says which in the run's tags. A person can
write such tags too, but what a person launches comes through the webserver, which knows them and does not look here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from data_platform.orchestration.launches import BACKFILL_TAG
from data_platform.records.scope import SYSTEM

_RETRY: Final = "dagster/retry_number"
_SCHEDULE: Final = "dagster/schedule_name"
_SENSOR: Final = "dagster/sensor_name"
_AUTOMATION: Final = ("dagster/auto_materialize", "dagster/from_automation_condition")


class Through(Enum):
    """How a run came about that no request to the webserver launched."""

    BACKFILL = "backfill"
    RETRY = "retry"
    PLATFORM = "platform"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from, and the backfill, the earlier run or the part of the platform that is meant."""

    through: Through
    name: str = ""


def origin_of(tags: Mapping[str, str], parent_run_id: str | None) -> Origin:
    """Tell where a run comes from that was submitted without a request.

    A person on the machine, at Dagster's own command line, leaves no such tag.
    """
    if parent_run_id is not None and _RETRY in tags:
        return Origin(Through.RETRY, parent_run_id)
    if BACKFILL_TAG in tags:
        return Origin(Through.BACKFILL, tags[BACKFILL_TAG])
    for tag in (_SCHEDULE, _SENSOR):
        if tag in tags:
            return Origin(Through.PLATFORM, f"{SYSTEM}{tags[tag]}")
    if any(tag in tags for tag in _AUTOMATION):
        return Origin(Through.PLATFORM, f"{SYSTEM}automation")
    return Origin(Through.MACHINE)
