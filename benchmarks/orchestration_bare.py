"""What the bare side of `benchmarks.orchestration` loads: the same definitions, and one asset that does nothing."""

# No postponed annotations here: Dagster reads them as objects.

from typing import Final

import dagster as dg

from data_platform.catalog import find_table
from data_platform.definitions import build_definitions
from data_platform.orchestration.assets import partitions_definition
from data_platform.settings import load_settings

TABLE: Final = "crsp_daily"
EMPTY: Final = "empty"


@dg.definitions
def defs() -> dg.Definitions:
    """Everything of the project, run by stock Dagster, beside an asset with the partitions of the measured table."""

    @dg.asset(name=EMPTY, partitions_def=partitions_definition(find_table(TABLE), load_settings()))
    def empty() -> None:
        """Nothing: what Dagster's own machinery takes for a run."""

    return dg.Definitions.merge(build_definitions(), dg.Definitions(assets=[empty]))
