"""Anomalies: what is probably wrong with a partition though it is valid, by its history and by itself.

Pure functions from a staged file, its statistics and those of other versions to findings. Twelve kinds of fault, each
with a function that says how it is found: `changes` and `dates` compare with history and calendar, the others look for
rows that break a relation between columns (`relations`, collected by the one scan of `suspects`). What happens to an
anomaly, and where statistics are kept, does not belong here.
"""

from data_platform.quality.anomalies.anomaly import GRADES, Anomaly, Metric, Severity
from data_platform.quality.anomalies.detecting import Inspection, detect, inspect
from data_platform.quality.anomalies.history import NO_HISTORY, History
from data_platform.quality.anomalies.statistics import ColumnStatistics, Statistics, statistics_of
from data_platform.quality.anomalies.suspects import Suspects

__all__ = [
    "GRADES",
    "NO_HISTORY",
    "Anomaly",
    "ColumnStatistics",
    "History",
    "Inspection",
    "Metric",
    "Severity",
    "Statistics",
    "Suspects",
    "detect",
    "inspect",
    "statistics_of",
]
