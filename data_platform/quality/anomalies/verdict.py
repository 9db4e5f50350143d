"""From anomalies to one verdict: what statistics say about a partition, as the other validators say theirs."""

from __future__ import annotations

from typing import Final

from data_platform.catalog.rules import Severity
from data_platform.quality.anomalies.anomaly import Anomaly
from data_platform.quality.results import CheckResult, Status, ValidationType

_SHOWN: Final = 3


def verdict_on(anomalies: tuple[Anomaly, ...], *, accepted: bool = False) -> CheckResult:
    """A partition with an error-grade anomaly fails, unless whoever decides has `accepted` what is found."""
    grave = sum(anomaly.severity is Severity.ERROR for anomaly in anomalies)
    if not anomalies:
        return CheckResult(ValidationType.ANOMALY, Status.PASSED, "no anomalies", "no anomalies")
    status = Status.FAILED if grave and not accepted else Status.WARNING
    counted = f"{grave} errors, {len(anomalies) - grave} warnings"
    worst = sorted(anomalies, key=lambda anomaly: anomaly.severity is not Severity.ERROR)
    more = f" | and {len(anomalies) - _SHOWN} more" if len(anomalies) > _SHOWN else ""
    words = " | ".join(f"{anomaly.metric}: {anomaly.message}" for anomaly in worst[:_SHOWN]) + more
    return CheckResult(
        ValidationType.ANOMALY,
        status,
        "no anomalies",
        counted,
        f"let through: {words}" if grave and accepted else words,
    )
