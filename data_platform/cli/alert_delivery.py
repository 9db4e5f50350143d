"""`data-platform alerts`: which alerts are sent where, whether a channel works, and what became of each alert."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Literal

import typer

from data_platform.cli.options import Json, Reason
from data_platform.cli.output import print_json, print_table, say
from data_platform.cli.session import open_session
from data_platform.errors import PlatformError
from data_platform.governance.alert_rules import AlertRules

app = typer.Typer()
"""Commands of the group `alerts`, beside those of `data_platform.cli.alerts`."""

RuleName = Annotated[str, typer.Argument(metavar="NAME", help="The rule's name.")]
Dataset = Annotated[str | None, typer.Option("--dataset", "-d", help="Only of this dataset.")]


@app.command()
def rules(*, as_json: Json = False) -> None:
    """List the rules: which alerts go to which channel."""
    with _rules() as service:
        found = service.rules()
    if as_json:
        print_json([dataclasses.asdict(rule) for rule in found])
        return
    if not found:
        say("There are no rules, so no alert is sent. Make one with: data-platform alerts add-rule NAME --channel C")
        return
    print_table(
        "Rules",
        ["Rule", "Channel", "Dataset", "Metric", "Severity", "On", "Changed by", "Since (UTC)"],
        [
            [
                rule.name,
                rule.channel,
                rule.dataset or "all",
                rule.metric or "all",
                rule.severity or "all",
                rule.enabled,
                rule.updated_by,
                f"{rule.updated_at:%Y-%m-%d %H:%M}",
            ]
            for rule in found
        ],
    )


@app.command("add-rule")
def add_rule(
    name: RuleName,
    *,
    channel: Annotated[str, typer.Option(help="Where to: a name of DATA_PLATFORM_ALERT_CHANNELS.")],
    dataset: Dataset = None,
    metric: Annotated[str | None, typer.Option(help="Only of this metric, such as row_drop.")] = None,
    severity: Annotated[Literal["error", "warning"] | None, typer.Option(help="Only of this severity.")] = None,
    reason: Reason = "",
) -> None:
    """Send alerts that are created from now on to a channel; what is left open matches all."""
    with _rules() as service:
        service.add(name, channel, dataset=dataset, metric=metric, severity=severity, reason=reason)
        known = service.channels().get(channel) is not None
    say(f"The rule {name} sends to {channel}. Try the channel with: data-platform alerts test {channel}")
    if not known:
        say(f"DATA_PLATFORM_ALERT_CHANNELS has no address for {channel} here: its alerts wait until it has.")


@app.command("remove-rule")
def remove_rule(name: RuleName, *, reason: Reason = "") -> None:
    """Remove a rule. The log of deliveries stays."""
    with _rules() as service:
        service.remove(name, reason)
    say(f"The rule {name} is gone.")


@app.command("enable-rule")
def enable_rule(name: RuleName, *, reason: Reason = "") -> None:
    """Turn a rule on, for alerts that are created from now on."""
    with _rules() as service:
        service.enable(name, reason=reason)
    say(f"The rule {name} is on.")


@app.command("disable-rule")
def disable_rule(name: RuleName, *, reason: Reason = "") -> None:
    """Turn a rule off."""
    with _rules() as service:
        service.enable(name, enabled=False, reason=reason)
    say(f"The rule {name} is off.")


@app.command()
def channels(*, as_json: Json = False) -> None:
    """List the channels by name and kind; addresses are never shown."""
    with _rules() as service:
        found = service.channels()
    rows = [
        {"channel": name, "kind": channel.kind if channel else None, "configured": channel is not None}
        for name, channel in found.items()
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table("Channels", ["Channel", "Kind", "Configured"], [list(row.values()) for row in rows])
    else:
        say("No channel is configured, so no alert is sent. Set DATA_PLATFORM_ALERT_CHANNELS: docs/settings.md")


@app.command()
def test(channel: Annotated[str, typer.Argument(metavar="CHANNEL")]) -> None:
    """Send one test message. Exit 1 when the channel does not take it."""
    with _rules() as service:
        service.test(channel)
    say(f"The channel {channel} took a test message. Look whether it arrived.")


@app.command()
def deliver(
    *,
    again: Annotated[bool, typer.Option("--again", help="What failed or was given up too, without a wait.")] = False,
    as_json: Json = False,
) -> None:
    """Send what is due now. Exit 1 when a message was not taken."""
    with _rules() as service:
        report = service.deliver(again=again)
    if as_json:
        print_json(dataclasses.asdict(report))
    elif not report.channels:
        say("Nothing is due.")
    for sent in report.channels:
        if sent.error is None and not as_json:
            say(f"{sent.channel}: {sent.alerts:,} alert{'' if sent.alerts == 1 else 's'} in one message.")
    if report.unconfigured:
        say(f"Not configured here, so their alerts wait: {', '.join(report.unconfigured)}.")
    if report.failed:
        raise PlatformError(
            " ".join(str(failed.error) for failed in report.failed),
            hint="What is due again and when: data-platform alerts deliveries",
        )


@app.command()
def deliveries(
    *,
    dataset: Dataset = None,
    channel: Annotated[str | None, typer.Option(help="Only to this channel.")] = None,
    state: Annotated[Literal["pending", "sending", "sent", "failed"] | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows, newest first.")] = 100,
    as_json: Json = False,
) -> None:
    """Show what became of alerts: one row for each alert and channel."""
    with _rules() as service:
        found = service.deliveries(dataset, channel, state, limit)
    if as_json:
        print_json([dataclasses.asdict(delivery) for delivery in found])
        return
    if not found:
        say("No delivery is recorded. What would be sent: data-platform alerts rules")
        return
    print_table(
        "Deliveries",
        ["Alert", "Channel", "Dataset", "State", "Attempts", "Last (UTC)", "Due (UTC)", "Error", "Message"],
        [
            [
                delivery.alert_id,
                delivery.channel,
                delivery.dataset,
                delivery.state,
                delivery.attempts,
                f"{delivery.last_attempt_at:%Y-%m-%d %H:%M}" if delivery.last_attempt_at else None,
                f"{delivery.due_at:%Y-%m-%d %H:%M}" if delivery.due_at else None,
                delivery.error,
                str(delivery.message_id)[:8] if delivery.message_id else None,
            ]
            for delivery in found
        ],
        grouped=False,
    )


@contextmanager
def _rules() -> Generator[AlertRules]:
    with open_session() as session:
        yield AlertRules(session.records, session.settings, session.user)
