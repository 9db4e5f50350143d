"""Dagster's GraphQL schema with a rule before each mutation, and buttons that know a user's own runs.

Leans on internals of Dagster 1.13.27: the names of mutations and their arguments, and that a run and a backfill lie
under `dagster_run` and `_backfill_job` of what a field is resolved from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from dagster._core.remote_representation.handle import CompoundID
from dagster._core.workspace.permissions import Permissions
from dagster_graphql.schema.errors import GraphenePythonError, GrapheneUnauthorizedError
from dagster_shared.error import SerializableErrorInfo
from graphene import Schema
from graphql import GraphQLError, GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLUnionType, get_named_type

from data_platform.errors import NotPermittedError, PlatformError, UsageError
from data_platform.orchestration.audit import USER_TAG
from data_platform.orchestration.webserver.backfills import admit_again, admit_backfill
from data_platform.orchestration.webserver.cancelling import cancel_for_good
from data_platform.orchestration.webserver.context import GovernedRequestContext
from data_platform.orchestration.webserver.mutations import Kind, decide_mutation, kind_of
from data_platform.orchestration.webserver.sent_texts import require_sound

_UNAUTHORIZED: Final = "UnauthorizedError"
_PYTHON_ERROR: Final = "PythonError"

Resolver = Callable[..., Any]


def govern(schema: Schema) -> Schema:
    """Put the rules into a freshly made schema, and return it."""
    mutations = schema.graphql_schema.mutation_type
    if mutations is None:
        raise LookupError("Dagster's schema has no mutations")
    for name, field in mutations.fields.items():
        field.resolve = _governed(name, field)
    types = schema.graphql_schema.type_map
    _offer_own(types["Run"], "hasTerminatePermission", lambda root: root.dagster_run.tags)
    _offer_own(types["PartitionBackfill"], "hasCancelPermission", lambda root: root._backfill_job.tags)
    return schema


def _governed(name: str, field: GraphQLField) -> Resolver:
    kind, resolve, refuse = kind_of(name), _resolver(field), _refuser(field)

    def governed(root: object, info: Any, **arguments: Any) -> Any:  # noqa: ANN401 - a resolver of graphql-core
        context: GovernedRequestContext = info.context
        try:
            require_sound(arguments)
        except UsageError as error:
            return refuse(error)
        own = _is_own(context, kind, arguments)
        decision = decide_mutation(context.user, kind, own=own)
        if not decision.allowed:
            return refuse(NotPermittedError(decision.reason or "Not permitted."))
        try:
            if kind is Kind.BACKFILL:
                admit_backfill(context, arguments["backfillParams"])
            elif kind is Kind.BACKFILL_AGAIN:
                admit_again(context, _backfill_id(arguments))
                with context.stamping_backfills():
                    return resolve(root, info, **arguments)
        except PlatformError as error:
            return refuse(error)
        lent = _ENDS[kind] if own else _lent(context, name, arguments)

        def resolved() -> Any:  # noqa: ANN401 - as above
            if lent is not None:
                with context.lending(lent):
                    return resolve(root, info, **arguments)
            return resolve(root, info, **arguments)

        if kind is Kind.OWN_BACKFILL:
            return cancel_for_good(context.instance, str(arguments.get("backfillId")), resolved)
        return resolved()

    return governed


_ENDS: Final[Mapping[Kind, str]] = {
    Kind.OWN_RUNS: Permissions.TERMINATE_PIPELINE_EXECUTION,
    Kind.OWN_BACKFILL: Permissions.CANCEL_PARTITION_BACKFILL,
}


def _is_own(context: GovernedRequestContext, kind: Kind, arguments: Mapping[str, Any]) -> bool:
    """Whether everything that a mutation would end was launched by the user."""
    if kind is Kind.OWN_RUNS:
        ids: Iterable[str] = arguments.get("runIds") or [arguments.get("runId", "")]
        found = [context.instance.get_run_by_id(run_id) for run_id in ids]
        tags: Sequence[Mapping[str, str]] = [run.tags if run else {} for run in found]
    elif kind is Kind.OWN_BACKFILL:
        backfill = context.instance.get_backfill(arguments.get("backfillId", ""))
        tags = [backfill.tags if backfill else {}]
    else:
        return False
    return bool(tags) and all(_launched_by(context, each) for each in tags)


def _lent(context: GovernedRequestContext, name: str, arguments: Mapping[str, Any]) -> str | None:
    """The permission to lend for a mutation that Dagster asks for everywhere, and elsewhere of the owner alone."""
    if name != "stopSensor":
        return None
    given = str(arguments.get("id") or arguments.get("job_origin_id") or "")
    origin = CompoundID.from_string(given).remote_origin_id if CompoundID.is_valid_string(given) else given
    for location in context.code_locations:
        for repository in location.get_repositories().values():
            for sensor in repository.get_sensors():
                if sensor.get_remote_origin_id() == origin:
                    owned = context.has_permission_for_owners(Permissions.EDIT_SENSOR, sensor.owners or [])
                    return Permissions.EDIT_SENSOR if owned else None
    return None


def _launched_by(context: GovernedRequestContext, tags: Mapping[str, str]) -> bool:
    return not context.user.disabled and tags.get(USER_TAG) == context.user.user_id


def _backfill_id(arguments: Mapping[str, Any]) -> str:
    parameters: Mapping[str, Any] = arguments.get("reexecutionParams") or {}
    return str(arguments.get("backfillId") or parameters.get("parentRunId") or "")


def _refuser(field: GraphQLField) -> Callable[[PlatformError], object]:
    """How a mutation says no: with one of the errors that it may answer with, or with GraphQL's own."""
    of: Any = cast("Any", field).type
    answers = cast("object", get_named_type(of))
    possible = {each.name for each in answers.types} if isinstance(answers, GraphQLUnionType) else set[str]()

    def refuse(error: PlatformError) -> object:
        message = str(error)
        if isinstance(error, NotPermittedError) and _UNAUTHORIZED in possible:
            return GrapheneUnauthorizedError(message)
        if _PYTHON_ERROR in possible:
            # Without a stack: it is no fault of the program's.
            return GraphenePythonError(SerializableErrorInfo(message, [], type(error).__name__))
        raise GraphQLError(message)

    return refuse


def _offer_own(kind: GraphQLNamedType, name: str, tags_of: Callable[[Any], Mapping[str, str]]) -> None:
    """Let a field that says whether something may be ended say yes for what the user launched."""
    if not isinstance(kind, GraphQLObjectType):
        raise TypeError(f"Dagster's schema has no object with {name}")
    field = kind.fields[name]
    resolve = _resolver(field)

    def offered(root: object, info: Any, **arguments: Any) -> Any:  # noqa: ANN401 - a resolver of graphql-core
        return _launched_by(info.context, tags_of(root)) or resolve(root, info, **arguments)

    field.resolve = offered


def _resolver(field: GraphQLField) -> Resolver:
    if field.resolve is None:
        raise LookupError("A field of Dagster's schema has no resolver of its own")
    return field.resolve
