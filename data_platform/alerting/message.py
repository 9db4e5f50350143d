"""What a message says: one for all alerts that a channel is told of at once, as plain text.

An alert's own message holds counts, shares, names and keys, never licensed values, so it can leave the house.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from data_platform.records.alerts import Alert

LINES: Final = 10
"""How many alerts, or groups of them, a message names."""

_LONGEST_LINE: Final = 400
_NAMED: Final = 3
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SEE: Final = "data-platform alerts list"

Tone = Literal["failure", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Message:
    """Title, body, and how bad it is."""

    title: str
    body: str
    tone: Tone


def compose(alerts: Sequence[Alert], reference: str) -> Message:
    """Return the message for some alerts, at least one; up to ten are told one by one, more by their metric.

    Args:
        alerts: In the order in which they are to be told.
        reference: What the log of deliveries knows the message by.
    """
    errors = sum(alert.severity == "error" for alert in alerts)
    title = f"{_counted(alerts)} in {_datasets(alerts)}"
    lines = [*map(_line, alerts)] if len(alerts) <= LINES else _groups(alerts)
    body = "\n".join((*lines, "", f"All of them: {_SEE}", f"Delivery {reference}"))
    return Message(title, body, "failure" if errors else "warning")


def trial(channel: str) -> Message:
    """Return the message that only shows that a channel works."""
    body = f"This is a test of the channel {channel}. Nothing is wrong with the data."
    return Message("Test of data-platform", body, "info")


def _groups(alerts: Sequence[Alert]) -> list[str]:
    by_metric: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_metric[alert.metric].append(alert)
    # Errors before warnings, then the most frequent.
    order = sorted(by_metric.items(), key=lambda item: (-_errors(item[1]), -len(item[1]), item[0]))
    lines = [
        _bounded(f"{metric}: {_counted(group)} in {_named(alert.table_name for alert in group)}")
        for metric, group in order[:LINES]
    ]
    left = order[LINES:]
    if left:
        count = sum(len(group) for _, group in left)
        lines.append(f"and {_plural(count, 'alert')} of {_plural(len(left), 'other metric')}")
    return lines


def _line(alert: Alert) -> str:
    return _bounded(f"{alert.severity}: {alert.table_name} {alert.partition}, {alert.metric}: {alert.message}")


def _bounded(line: str) -> str:
    plain = _UNPRINTABLE.sub(" ", line)
    return plain if len(plain) <= _LONGEST_LINE else f"{plain[: _LONGEST_LINE - 1]}…"


def _counted(alerts: Sequence[Alert]) -> str:
    counts = Counter(alert.severity for alert in alerts)
    return ", ".join(_plural(counts[severity], severity) for severity in ("error", "warning") if counts[severity])


def _errors(alerts: Sequence[Alert]) -> int:
    return sum(alert.severity == "error" for alert in alerts)


def _datasets(alerts: Sequence[Alert]) -> str:
    return _bounded(_named(alert.dataset for alert in alerts))


def _named(names: Iterable[str]) -> str:
    """The most frequent names first; of more than three only how many others there are."""
    order = [name for name, _ in Counter(names).most_common()]
    shown, left = order[:_NAMED], len(order) - _NAMED
    return ", ".join(shown) + (f" and {left:,} more" if left > 0 else "")


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
