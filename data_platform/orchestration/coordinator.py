"""The run coordinator: stamps each run with who launched it, and lets it into the queue if they may.

It is where every launch passes, whatever asked for it: the UI, GraphQL, a backfill, a schedule, Dagster's command line.
Runs inside `data-platform sync` don't; the command asks the same rules itself.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from typing_extensions import override

from data_platform.errors import NotPermittedError, PlatformError
from data_platform.governance.identity import current_user, user_named
from data_platform.governance.manual_syncs import ManualSync, admit, note_refusal, permit
from data_platform.governance.permissions import Role, User, require_administrator
from data_platform.orchestration.attribution import Origin, Through, origin_of
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.dead_runs import PROCESS_TAG
from data_platform.orchestration.launches import (
    find_syncing,
    named,
    reason_given,
    require_partitions,
    spans_of,
    tables_of,
)
from data_platform.orchestration.webserver.context import GovernedRequestContext
from data_platform.records.connection import Records, open_records
from data_platform.settings import Settings, load_settings

UNKNOWN: Final = User("unknown", Role.VIEWER, disabled=True)
"""Whoever launched what nobody can be named for; may do nothing."""


class GovernedRunCoordinator(QueuedRunCoordinator[dg.DagsterInstance]):
    """Dagster's queue with a doorkeeper.

    `submit_run` raises a `PlatformError` for a person who waits for the answer, and Dagster then marks the run as
    failed. The daemon, which would try the same again, gets a run that has failed and says why.
    """

    @override
    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        if context.dagster_run.status is not dg.DagsterRunStatus.NOT_STARTED:
            return super().submit_run(context)
        workspace = context.workspace
        if isinstance(workspace, GovernedRequestContext):
            if _admitted_already(workspace, context.dagster_run):
                self._stamp(context.dagster_run, workspace.user.user_id)
            else:
                self._admit_person(context, workspace.records, workspace.user, workspace.client_ip)
            return self._enqueue(context)
        if getattr(workspace, "source", None) is not None:
            self._stamp(context.dagster_run, UNKNOWN.user_id)
            raise NotPermittedError(
                "This webserver does not know who asks.", hint="Use the one that `data-platform up` serves."
            )
        settings = load_settings()
        with open_records(settings) as records:
            return self._submit_by_machine(context, settings, records)

    def _submit_by_machine(self, context: SubmitRunContext, settings: Settings, records: Records) -> dg.DagsterRun:
        run = context.dagster_run
        origin = origin_of(run.tags, run.parent_run_id)
        if origin.through is Through.MACHINE:
            self._admit_person(context, records, current_user(settings, records), None)
        elif origin.through is Through.PLATFORM:
            self._stamp(run, origin.name)
        else:
            user = self._launched_by(origin, settings, records)
            self._stamp(run, user.user_id)
            try:
                # As they are now: whoever was let in yesterday may be out today.
                _permit_run(user, run)
            except PlatformError as error:
                with suppress(PlatformError):
                    note_refusal(records, user, _wanted(run, None), error)
                self._instance.report_run_failed(run, str(error))
                return _existing(self._instance, run)
        return self._enqueue(context)

    def _launched_by(self, origin: Origin, settings: Settings, records: Records) -> User:
        """The person who launched the backfill or the earlier run that this run belongs to."""
        if origin.through is Through.BACKFILL:
            earlier = self._instance.get_backfill(origin.name)
        else:
            earlier = self._instance.get_run_by_id(origin.name)
        name = earlier.tags.get(USER_TAG) if earlier else None
        if name is None:
            # Only what was launched on this machine, past the webserver, carries no name.
            return current_user(settings, records) if settings.identity == "local" else UNKNOWN
        try:
            return user_named(settings, records, name)
        except NotPermittedError:
            return User(name if name.isprintable() and name else UNKNOWN.user_id, Role.VIEWER, disabled=True)

    def _admit_person(self, context: SubmitRunContext, records: Records, user: User, client_ip: str | None) -> None:
        run = context.dagster_run
        self._stamp(run, user.user_id)
        tables = tables_of(run)
        if tables is None:
            require_administrator(user)
            return
        wanted = _wanted(run, client_ip)
        spans = spans_of(run.tags)
        admit(
            records,
            user,
            wanted,
            syncing=lambda: find_syncing(self._instance, wanted.tables, spans, but=run.run_id),
            check=lambda: require_partitions(wanted.tables, spans, load_settings()),
        )

    def _stamp(self, run: dg.DagsterRun, user_id: str) -> None:
        # A run that was launched anew from one of a command is not that command's.
        ended = {PROCESS_TAG: ""} if run.tags.get(PROCESS_TAG) else {}
        self._instance.add_run_tags(run.run_id, {USER_TAG: user_id, **ended})

    def _enqueue(self, context: SubmitRunContext) -> dg.DagsterRun:
        return super().submit_run(context._replace(dagster_run=_existing(self._instance, context.dagster_run)))


def _admitted_already(workspace: GovernedRequestContext, run: dg.DagsterRun) -> bool:
    tables = tables_of(run) or ()
    return len(tables) == 1 and workspace.has_admitted((tables[0].name, named(spans_of(run.tags))))


def _wanted(run: dg.DagsterRun, client_ip: str | None) -> ManualSync:
    return ManualSync(
        tables_of(run) or (),
        named(spans_of(run.tags)),
        reason_given(run.run_config, run.tags),
        f"run {run.run_id}",
        client_ip,
    )


def _permit_run(user: User, run: dg.DagsterRun) -> None:
    if tables_of(run) is None:
        require_administrator(user)
    else:
        permit(user, _wanted(run, None))


def _existing(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    return instance.get_run_by_id(run.run_id) or run
