"""Every decision there is, against the table in permission_cases.txt, which explains its own columns.

Whatever is expected here is read from that table, never from the roles in the code. What a user misses can be read
there too: with the other permission granted and not revoked, a sign speaks of one permission alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_platform.errors import NotPermittedError
from data_platform.governance.permissions import (
    LICENSED_DATASETS,
    PERMISSIONS,
    Action,
    Role,
    User,
    decide,
    permitted_datasets,
    require,
)

TABLE = Path(__file__).with_name("permission_cases.txt")
LINE = re.compile(r"(\S+) +(\S+) +(\S+) +([+-]{16})")
ACTION, DATASET = 1, 2
SUBSETS = ("0", "A", "D", "AD")
"""How the table's header calls the four sets, at the index that the bits ACTION and DATASET give."""
AT_MOST = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    number: int
    role: str
    action: str
    dataset: str
    signs: str

    @property
    def dataset_permission(self) -> str:
        return "dataset:crsp" if self.dataset == "-" else f"dataset:{self.dataset}"

    @property
    def needed(self) -> set[str]:
        return {self.action} if self.dataset == "-" else {self.action, self.dataset_permission}

    def allows(self, granted: int, revoked: int) -> bool:
        return self.signs[4 * granted + revoked] == "+"

    def __str__(self) -> str:
        return f"line {self.number}: {self.role} {self.action} {self.dataset}"


@dataclass(frozen=True, slots=True)
class Case:
    """One sign of the table: what was granted and revoked, as bits."""

    line: Line
    granted: int
    revoked: int

    @property
    def allowed(self) -> bool:
        return self.line.allows(self.granted, self.revoked)

    @property
    def missing(self) -> set[str]:
        """The permissions that the user of this case needs and lacks, as the line tells."""
        signs = {
            self.line.action: self.line.allows(self.granted & ACTION | DATASET, self.revoked & ACTION),
            self.line.dataset_permission: self.line.allows(self.granted & DATASET | ACTION, self.revoked & DATASET),
        }
        return {permission for permission, allowed in signs.items() if not allowed}

    @property
    def request(self) -> tuple[Action, str | None]:
        return Action(self.line.action), None if self.line.dataset == "-" else self.line.dataset

    def user(self, *, disabled: bool = False) -> User:
        return User("u", Role(self.line.role), self._names(self.granted), self._names(self.revoked), disabled)

    def _names(self, bits: int) -> frozenset[str]:
        named = ((ACTION, self.line.action), (DATASET, self.line.dataset_permission))
        return frozenset(name for bit, name in named if bits & bit)

    def __str__(self) -> str:
        return f"{self.line}, granted {SUBSETS[self.granted]}, revoked {SUBSETS[self.revoked]}"


def _read(path: Path) -> list[Line]:
    lines: list[Line] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text or text.startswith("#"):
            continue
        match = LINE.fullmatch(text)
        if match is None:
            raise ValueError(f"{path.name}, line {number}: not a role, an action, a dataset and 16 signs: {text!r}")
        lines.append(Line(number, *match.groups()))
    return lines


LINES = _read(TABLE)
CASES = [Case(line, granted, revoked) for line in LINES for granted, revoked in product(range(4), range(4))]


def _none(problems: Sequence[str], *, at_most: int = AT_MOST) -> None:
    """Fail with the problems, one below the other."""
    if problems:
        more = [f"and {len(problems) - at_most} more"] if len(problems) > at_most else []
        pytest.fail("\n".join(["the code and the table differ:", *problems[:at_most], *more]), pytrace=False)


def _permissions_in(text: str | None) -> list[str]:
    return sorted(re.findall(r"\w+:\w+", text or ""))


def _held(user: User) -> set[str]:
    """All that a user holds, as the lines of the role tell."""
    needed: set[str] = set()
    missing: set[str] = set()
    for line in LINES:
        if line.role == user.role:
            granted, revoked = (
                ACTION * (line.action in names) | DATASET * (line.dataset_permission in names)
                for names in (user.grants, user.revocations)
            )
            needed |= line.needed
            missing |= Case(line, granted, revoked).missing
    return needed - missing


def test_every_role_action_and_dataset_has_exactly_one_line() -> None:
    written = Counter((line.role, line.action, line.dataset) for line in LINES)
    wanted = {(str(r), str(a), d) for r, a, d in product(Role, Action, ("-", *LICENSED_DATASETS))}
    _none(
        [f"no line for {' '.join(key)}" for key in sorted(wanted - written.keys())]
        + [f"a line for what the code does not know: {' '.join(key)}" for key in sorted(written.keys() - wanted)]
        + [f"{count} lines for {' '.join(key)}" for key, count in written.items() if count > 1]
    )
    assert set().union(*(line.needed for line in LINES)) == PERMISSIONS


def test_every_decision_is_that_of_the_table() -> None:
    differing: list[str] = []
    for line in LINES:
        cases = [case for case in CASES if case.line is line]
        decided = "".join("+" if decide(case.user(), *case.request).allowed else "-" for case in cases)
        if decided != line.signs:
            marks = "".join(" " if a == b else "^" for a, b in zip(line.signs, decided, strict=True))
            differing.append(f"{line}\n    the table  {line.signs}\n    the code   {decided}\n               {marks}")
    _none(differing, at_most=len(LINES))


def test_a_reason_names_exactly_the_missing_permissions() -> None:
    problems: list[str] = []
    for case in CASES:
        decision = decide(case.user(), *case.request)
        others = set(LICENSED_DATASETS) - {case.line.dataset}
        if (decision.reason is None) != case.allowed:
            problems.append(f"{case}: the reason is {decision.reason!r}")
        elif _permissions_in(decision.reason) != sorted(case.missing):
            problems.append(f"{case}: {sorted(case.missing)} missing, the reason is {decision.reason!r}")
        elif others.intersection(re.findall(r"\w+", decision.reason or "")):
            problems.append(f"{case}: the reason speaks of another dataset: {decision.reason!r}")
    _none(problems)


def test_require_raises_exactly_when_the_table_refuses() -> None:
    problems: list[str] = []
    for case, disabled in product(CASES, (False, True)):
        user = case.user(disabled=disabled)
        refused = disabled or not case.allowed
        try:
            require(user, *case.request)
        except NotPermittedError as error:
            named = [] if disabled else sorted(case.missing)
            as_decided = error.message == decide(user, *case.request).reason
            if not refused or error.exit_code != 3 or not as_decided or _permissions_in(str(error)) != named:
                problems.append(f"{case}, {disabled=}: exit code {error.exit_code}, {error}")
        else:
            if refused:
                problems.append(f"{case}, {disabled=}: let pass")
    _none(problems)


def test_what_a_user_holds_and_may_read_is_that_of_the_table() -> None:
    problems: list[str] = []
    for case in CASES:
        user = case.user()
        expected = _held(user)
        readable = frozenset(name for name in LICENSED_DATASETS if f"dataset:{name}" in expected)
        one = case.line.dataset_permission.removeprefix("dataset:")
        if (held := {name for name in PERMISSIONS if user.holds(name)}) != expected:
            problems.append(f"{case}: holds differs in {sorted(held ^ expected)}")
        if (permitted := permitted_datasets(user, (*LICENSED_DATASETS, "research"))) != readable:
            problems.append(f"{case}: permitted_datasets differs in {sorted(permitted ^ readable)}")
        if (permitted := permitted_datasets(user, (one, "research"))) != readable & {one}:
            problems.append(f"{case}: of {one} and research, permitted_datasets gives {sorted(permitted)}")
    _none(problems)


def test_a_disabled_user_is_refused_in_every_case() -> None:
    problems: list[str] = []
    for case in CASES:
        user = case.user(disabled=True)
        decision = decide(user, *case.request)
        reason = decision.reason or ""
        if decision.allowed or "disabled" not in reason or _permissions_in(reason):
            problems.append(f"{case}: {decision}")
        if any(map(user.holds, PERMISSIONS)) or permitted_datasets(user, LICENSED_DATASETS):
            problems.append(f"{case}: holds something")
    _none(problems)


_LOOKALIKES = ("*", "dataset:*", "dataset:", "dataset", "crsp", "query", "admin")
"""Names that are nobody's permission and should open or close nothing."""
_names = st.sampled_from(sorted(map(str, PERMISSIONS)) + list(_LOOKALIKES))
_sets = st.frozensets(_names, max_size=8)
_users = st.builds(
    User,
    user_id=st.just("u"),
    role=st.sampled_from(Role),
    grants=_sets,
    revocations=_sets,
    disabled=st.sampled_from([False, False, False, True]),
)
_actions = st.sampled_from(Action)
_datasets = st.sampled_from([None, *LICENSED_DATASETS])


@given(user=_users, action=_actions, dataset=_datasets)
@settings(deadline=None, max_examples=300)
def test_a_revocation_never_allows_and_a_grant_never_refuses(user: User, action: Action, dataset: str | None) -> None:
    allowed = decide(user, action, dataset).allowed
    for name in (*PERMISSIONS, *_LOOKALIKES):
        if not allowed:
            revoked = replace(user, revocations=user.revocations | {name})
            assert not decide(revoked, action, dataset).allowed, f"revoking {name} allowed it"
        else:
            granted = replace(user, grants=user.grants | {name})
            assert decide(granted, action, dataset).allowed, f"granting {name} refused it"


@given(user=_users, action=_actions, dataset=_datasets, grants=_sets, revocations=_sets)
@settings(deadline=None, max_examples=300)
def test_permissions_of_other_datasets_and_actions_do_not_matter(
    user: User, action: Action, dataset: str | None, grants: frozenset[str], revocations: frozenset[str]
) -> None:
    needed = {action.value} if dataset is None else {action.value, f"dataset:{dataset}"}
    decision = decide(user, action, dataset)
    resembling = {alike for name in needed for alike in (f"{name}_x", f"x_{name}", name[:-1], name[1:], name.upper())}
    for name in {*PERMISSIONS, *_LOOKALIKES, *resembling} - needed:
        granted = replace(user, grants=user.grants | {name})
        assert decide(granted, action, dataset) == decision, f"granting {name} matters"
        revoked = replace(user, revocations=user.revocations | {name})
        assert decide(revoked, action, dataset) == decision, f"revoking {name} matters"
    others = replace(
        user,
        grants=user.grants & needed | grants - needed,
        revocations=user.revocations & needed | revocations - needed,
    )
    assert decide(others, action, dataset) == decision
