"""The sensor that watches prices: what was published since its last look is compared, and what drifts is told."""

# No postponed annotations here: Dagster reads them as objects.

import datetime as dt
import json
from typing import Final

import dagster as dg

from data_platform.alerting.delivery import deliver_quietly
from data_platform.errors import PlatformError
from data_platform.orchestration.resource import Platform, PlatformResource
from data_platform.orchestration.watching import DELIVERY_SECONDS
from data_platform.sync.watchers.drift import DriftMemory, Look, look_for_drift
from data_platform.sync.watchers.looking import Sighting
from data_platform.sync.watchers.telling import in_words, read, tell, written
from data_platform.sync.watchers.watch import Metric

EVERY_SECONDS: Final = 300


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster's metadata types are partly unknown
    name="price_drift",
    minimum_interval_seconds=EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Compares new prices with those of the version before and of other tables, and raises an alert when "
    "they differ by more than 1 %; settles it when they no longer do.",
)
def price_drift(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[PlatformResource]
) -> dg.SensorResult | dg.SkipReason:
    """Compare what is new every five minutes; the skip reason says what drifts now."""
    try:
        with platform.open() as opened:
            look, cursor = watch_prices_once(opened, context.cursor, dt.datetime.now(dt.UTC))
    except PlatformError as error:
        return dg.SkipReason(f"Could not look: {error.message}")
    left = "" if look.is_complete else " More is to be compared at the next look."
    said = f"{look.comparisons} comparisons. {in_words(look.found, ())}{left}"
    return dg.SensorResult(skip_reason=said, cursor=cursor)


def watch_prices_once(platform: Platform, cursor: str | None, now: dt.datetime) -> tuple[Look, str]:
    """Compare, tell and deliver: what was found, and the cursor for the next time. `now` is UTC.

    Raises:
        DatabaseUnavailableError: when the records are away; the same files are compared again then.
    """
    told, compared = _read(cursor)
    look = look_for_drift(platform.warehouse, DriftMemory.read(compared))
    sighting = Sighting(tuple(look.found), metrics=frozenset({Metric.PRICE_DRIFT}))
    plan = tell(platform.records, sighting, read(told), now)
    if plan.told:
        deliver_quietly(platform.records, platform.settings, within=DELIVERY_SECONDS)
    return look, json.dumps([written(plan.memory), look.memory.model_dump_json(exclude_defaults=True)])


def _read(cursor: str | None) -> tuple[str | None, str | None]:
    """What was told and what was compared; nothing for what can't be read."""
    try:
        told, compared = json.loads(cursor or "[null, null]")
    except (ValueError, TypeError):
        return None, None
    return (told, compared) if isinstance(told, str) and isinstance(compared, str) else (None, None)
