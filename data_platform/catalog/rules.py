"""The vocabulary of a contract: what may be said about a table's rows beyond types, missing values and the key.

Every rule says why it holds, and how grave it is when it does not. `error` is for what cannot be: a partition that
breaks it is quarantined. `warning` is for what a source seldom does: it passes with a finding. A missing value breaks
no rule; how many there may be says `Column.max_null_share`. Nothing here is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for its partition: an error keeps it from being published, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What all rules have in common.

    `reason` is a sentence with the rule's source or convention. Rows in which the column `exempt[0]` holds the text
    `exempt[1]` are not judged.
    """

    reason: str
    severity: Severity = Severity.ERROR
    exempt: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Within(Stated):
    """Values lie between `low` and `high`; a bound belongs to the range unless it is `open_`."""

    column: str
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    @property
    def words(self) -> str:
        """The rule in a few words, as findings have it."""
        low = "" if self.low is None else f"{'above' if self.open_low else 'at least'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.open_high else 'at most'} {self.high:g}"
        return " and ".join(filter(None, (low, high)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Stated):
    """Texts are among these."""

    column: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"one of {', '.join(self.values)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches(Stated):
    """Texts match a regular expression (Rust's dialect), which says itself where it is anchored."""

    column: str
    pattern: str

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"of the form {self.pattern}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HasLength(Stated):
    """Texts have from `shortest` to `longest` characters. It costs a fraction of a pattern on millions of rows."""

    column: str
    shortest: int
    longest: int

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"{'' if self.shortest == self.longest else f'{self.shortest} to '}{self.longest} characters long"


@dataclass(frozen=True, slots=True, kw_only=True)
class InOrder(Stated):
    """Within a row no column exceeds one after it; columns without a value are passed over."""

    columns: tuple[str, ...]

    @property
    def column(self) -> str:
        """The column that a finding names."""
        return self.columns[0]

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return " <= ".join(self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsProduct(Stated):
    """A column is the product of two others, up to `tolerance` as a share of it; signs do not count."""

    column: str
    factors: tuple[str, str]
    tolerance: float

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"{' * '.join(self.factors)}, give or take {self.tolerance:g} of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsFinite(Stated):
    """Numbers are finite. It holds for every column of numbers, without being declared."""

    column: str
    reason: str = "A missing number is null; an infinity or NaN spoils every sum that it enters."

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return "finite"


RowRule = IsFinite | Within | OneOf | Matches | HasLength | InOrder | IsProduct
"""Rules that a row keeps or breaks by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOverlap(Stated):
    """Ranges from `start` to `end`, both inclusive, of one entity do not overlap; one without an end is still open.

    `among` narrows it to rows whose columns hold one of these texts. The range that begins within an earlier one of
    its entity breaks the rule.
    """

    entity: tuple[str, ...]
    start: str
    end: str
    among: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def column(self) -> str:
        """The column that a finding names."""
        return self.start

    @property
    def words(self) -> str:
        """The rule in a few words."""
        only = "".join(f", {name} {' or '.join(values)}" for name, values in self.among)
        return f"no overlap with another range of the same {', '.join(self.entity)}{only}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePerEntity(Stated):
    """All rows of an entity have the same value. Rows that differ from the entity's smallest one break the rule."""

    column: str
    entity: tuple[str, ...]

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"one {self.column} for each {', '.join(self.entity)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBefore(Stated):
    """A date is not before the first `reference_column` of the same entity in another table, `reference`.

    Where that table is not published the rule is not judged; entities that it lacks are passed over.
    """

    column: str
    entity: tuple[str, ...]
    reference: str
    reference_column: str

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return f"not before the first {self.reference_column} of the same {', '.join(self.entity)} in {self.reference}"


TableRule = NoOverlap | OnePerEntity | NotBefore
"""Rules that hold between rows, or between tables."""

Rule = RowRule | TableRule


def columns_of(rule: Rule) -> frozenset[str]:
    """The columns of the rule's own table that it looks at."""
    own = {rule.exempt[0]} if rule.exempt else set[str]()
    match rule:
        case InOrder():
            own.update(rule.columns)
        case IsProduct():
            own.update((rule.column, *rule.factors))
        case NoOverlap():
            own.update((*rule.entity, rule.start, rule.end), (name for name, _ in rule.among))
        case OnePerEntity() | NotBefore():
            own.update((*rule.entity, rule.column))
        case _:
            own.add(rule.column)
    return frozenset(own)
