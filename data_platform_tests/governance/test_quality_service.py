"""What each person may know and settle about data quality: their datasets, and nothing that names another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from data_platform.errors import NotPermittedError, UsageError
from data_platform.governance.permissions import LICENSED_DATASETS, PERMISSIONS, Role, User
from data_platform.governance.quality import DataQualityService
from data_platform.records import alerts, platform_audit
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform.records.scope import PLATFORM
from data_platform.warehouse import Warehouse
from data_platform_tests.governance.people import PEOPLE, SEES, SYSTEM, fill

CATALOG = ("compustat", "crsp", "fama_french")
DISABLED = User("gone", Role.ADMIN, disabled=True)
BLIND = User("blind", Role.OPERATOR, revocations=frozenset({"view:data_quality"}))
VIEWER, ANALYST, ADMIN = PEOPLE[Role.VIEWER], PEOPLE[Role.ANALYST], PEOPLE[Role.ADMIN]
TODAY = dt.datetime.now(dt.UTC).date()

Ask = Callable[[DataQualityService, User, str], object]

READS: dict[str, Ask] = {
    "verdicts": lambda service, user, dataset: service.get_validation_results(user, dataset),
    "alerts": lambda service, user, dataset: service.get_anomaly_alerts(user, dataset=dataset),
    "groups": lambda service, user, dataset: service.get_alert_groups(user, dataset=dataset),
    "trends": lambda service, user, dataset: service.get_quality_trends(user, dataset),
    "coverage": lambda service, user, dataset: service.get_coverage(user, dataset),
}


@pytest.fixture
def service(records: Records, tmp_path: Path) -> DataQualityService:
    fill(records)
    return DataQualityService(records, Warehouse(tmp_path))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_each_role_reads_of_its_datasets_only(service: DataQualityService, role: Role, read: Ask) -> None:
    answered: set[str] = set()
    for dataset in CATALOG:
        try:
            assert read(service, PEOPLE[role], dataset)
            answered.add(dataset)
        except NotPermittedError as error:
            assert error.message == f"Access to {dataset} requires dataset:{dataset}"
    assert answered == SEES[role] & set(CATALOG)


@pytest.mark.parametrize("user", [DISABLED, BLIND], ids=lambda user: user.user_id)
def test_who_may_not_view_quality_is_refused_everywhere(service: DataQualityService, user: User) -> None:
    for read in READS.values():
        with pytest.raises(NotPermittedError):
            read(service, user, "crsp")
    for ask in (service.get_anomaly_alerts, service.get_alert_groups, service.get_quarantine_status):
        with pytest.raises(NotPermittedError):
            ask(user)


def test_alerts_of_all_datasets_are_those_of_ones_own(service: DataQualityService) -> None:
    for role, user in PEOPLE.items():
        assert {alert.dataset for alert in service.get_anomaly_alerts(user)} == SEES[role]
        assert sum(group.alerts for group in service.get_alert_groups(user)) == len(SEES[role])


def _alert(records: Records, dataset: str = "crsp") -> int:
    with records.transaction(SYSTEM) as connection:
        (number,) = alerts.store(
            connection, [Alert(dataset, f"{dataset}_daily", "2023", "level_shift", "warning", "shifted")]
        )
    return number


def test_settling_an_alert_is_noted_and_the_first_one_counts(records: Records, service: DataQualityService) -> None:
    number = _alert(records)
    first = service.acknowledge_alert(ANALYST, number, "the source restated it")
    second = service.acknowledge_alert(ADMIN, number, "me too")
    assert (first.was_first, first.acknowledged_by, first.reason) == (True, "the_analyst", "the source restated it")
    assert (second.was_first, second.acknowledged_by, second.reason) == (False, first.acknowledged_by, first.reason)
    with records.transaction(SYSTEM) as connection:
        noted = platform_audit.recent(connection, None, 100, action="alerts.acknowledge", subject=str(number))
    assert [(entry.actor, entry.reason) for entry in noted] == [("the_analyst", "the source restated it")]
    assert number not in {alert.id for alert in service.get_anomaly_alerts(ANALYST, acknowledged=False)}


def test_settling_needs_the_permission_the_dataset_and_a_reason(records: Records, service: DataQualityService) -> None:
    number, hidden = _alert(records), _alert(records, "taq")
    with pytest.raises(NotPermittedError):
        service.acknowledge_alert(VIEWER, number, "seen")
    with pytest.raises(UsageError, match=f"There is no alert {hidden}"):
        service.acknowledge_alert(ANALYST, hidden, "seen")
    with pytest.raises(UsageError, match="needs a reason"):
        service.acknowledge_alert(ANALYST, number, "  ")
    assert {number, hidden} <= {alert.id for alert in service.get_anomaly_alerts(ADMIN, acknowledged=False)}


def test_trends_say_where_their_history_begins(service: DataQualityService) -> None:
    young = service.get_quality_trends(ADMIN, "crsp", 30)
    assert (young.first_day, young.note) == (TODAY, f"The history begins on {TODAY.isoformat()}.")
    assert [(each.table_name, each.rows_published) for each in young.row_counts] == [("crsp_daily", 10)]
    assert service.get_quality_trends(ADMIN, "crsp", 1).note is None
    later = service.get_quality_trends(ADMIN, "crsp", 1, today=TODAY + dt.timedelta(days=5))
    assert (later.row_counts, later.pass_rates, later.note) == ([], [], None)


def test_what_concerns_the_platform_is_for_administrators(records: Records, service: DataQualityService) -> None:
    number = _alert(records, PLATFORM)
    for role, user in PEOPLE.items():
        seen = {alert.id for alert in service.get_anomaly_alerts(user, acknowledged=False)}
        assert (number in seen) is (role is Role.ADMIN)
    for user in (VIEWER, ANALYST, PEOPLE[Role.OPERATOR], DISABLED):
        with pytest.raises(NotPermittedError):
            service.get_anomaly_alerts(user, dataset=PLATFORM)
    with pytest.raises(UsageError, match=f"There is no alert {number}"):
        service.acknowledge_alert(PEOPLE[Role.OPERATOR], number, "seen")
    assert [alert.id for alert in service.get_anomaly_alerts(ADMIN, dataset=PLATFORM)] == [number]
    assert service.acknowledge_alert(ADMIN, number, "known").was_first
    assert service.get_anomaly_alerts(ADMIN, dataset=PLATFORM, acknowledged=False) == []


def test_the_platforms_name_is_no_dataset_and_no_permission() -> None:
    assert PLATFORM not in {*LICENSED_DATASETS, *CATALOG}
    assert f"dataset:{PLATFORM}" not in PERMISSIONS


BAD: list[tuple[Callable[[DataQualityService], object], str]] = [
    (lambda service: service.get_validation_results(ADMIN, "nothing"), "nothing"),
    (lambda service: service.get_validation_results(ADMIN, "crsp", 0), "limit must be from 1 to 1,000"),
    (lambda service: service.get_validation_results(ADMIN, "crsp", table="ff_factors_daily"), "has no table"),
    (lambda service: service.get_anomaly_alerts(ADMIN, "dreadful"), "'dreadful' is no severity"),
    (lambda service: service.get_anomaly_alerts(ADMIN, limit=10_001), "limit must be"),
    (lambda service: service.get_quality_trends(ADMIN, "crsp", 0), "days must be"),
    (lambda service: service.get_coverage(ADMIN, "crsp", "nothing"), "nothing"),
]


@pytest.mark.parametrize(("ask", "said"), BAD)
def test_what_does_not_exist_is_one_clear_error(
    service: DataQualityService, ask: Callable[[DataQualityService], object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ask(service)


def test_the_datasets_of_the_test_are_those_of_the_licences() -> None:
    assert set(CATALOG) <= set(LICENSED_DATASETS)
