"""From frames and statistics to verdicts: pure functions that judge a staged partition before it is published.

Validators, the trading calendar and what they report belong here. Nothing in this room writes anything, knows where
rows come from, or decides what happens to a partition that fails.
"""

from data_platform.quality.calendars import TradingCalendar, trading_calendar
from data_platform.quality.contracts import Judgement, judge_rows
from data_platform.quality.profile import Profile, profile_frame
from data_platform.quality.results import CheckResult, FileFacts, Finding, Status, ValidationType
from data_platform.quality.validators import CHECKS, Evidence, validate

__all__ = [
    "CHECKS",
    "CheckResult",
    "Evidence",
    "FileFacts",
    "Finding",
    "Judgement",
    "Profile",
    "Status",
    "TradingCalendar",
    "ValidationType",
    "judge_rows",
    "profile_frame",
    "trading_calendar",
    "validate",
]
