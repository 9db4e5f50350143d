"""What a message says: a few alerts one by one, a storm by its metrics, in plain lines of bounded length."""

from __future__ import annotations

import dataclasses

from data_platform.alerting.message import Message, compose, trial
from data_platform.records.alerts import Alert
from data_platform_tests.alerting.parts import DROP, GAP, SPIKE

END = ["", "All of them: data-platform alerts list", "Delivery 7"]


def lines(message: Message) -> list[str]:
    return message.body.splitlines()


def test_a_few_alerts_are_told_one_by_one() -> None:
    message = compose([DROP, SPIKE], "7")
    assert message.title == "1 error, 1 warning in crsp"
    assert message.tone == "failure"
    assert lines(message) == [
        "error: crsp_daily 2024, row_drop: 12 % fewer rows than before",
        "warning: crsp_daily 2024, null_spike: 6 points more nulls in ret",
        *END,
    ]


def test_ten_alerts_are_told_one_by_one_and_eleven_by_their_metric() -> None:
    assert len(lines(compose([DROP] * 10, "7"))) == 10 + len(END)
    message = compose([DROP, *[SPIKE] * 10], "7")
    assert message.title == "1 error, 10 warnings in crsp"
    assert lines(message) == ["row_drop: 1 error in crsp_daily", "null_spike: 10 warnings in crsp_daily", *END]


def test_a_storm_is_told_by_its_ten_most_important_metrics_and_the_rest_counted() -> None:
    storm = [dataclasses.replace(SPIKE, metric=f"metric_{number:02}") for number in range(12) for _ in range(number)]
    message = compose([*storm, GAP], "7")
    assert message.title == "1 error, 66 warnings in crsp, fama_french"
    assert lines(message)[0] == "date_gap: 1 error in ff_factors_daily"
    assert lines(message)[1] == "metric_11: 11 warnings in crsp_daily"
    assert lines(message)[10:] == ["and 3 alerts of 2 other metrics", *END]


def test_many_tables_and_datasets_are_counted_beyond_three() -> None:
    many = [dataclasses.replace(SPIKE, dataset=f"d{number}", table_name=f"t{number}") for number in range(1200)]
    message = compose(many, "7")
    assert message.title == "1,200 warnings in d0, d1, d2 and 1,197 more"
    assert message.tone == "warning"
    assert lines(message)[0] == "null_spike: 1,200 warnings in t0, t1, t2 and 1,197 more"


def test_no_alert_breaks_out_of_its_line() -> None:
    forged = Alert("crsp", "t\r\n", "p\u2028", "m", "error", "a\nDelivery 8\x1b[2J\0b " + "x" * 5000)
    told = compose([forged], "7")
    assert lines(told)[0].startswith("error: t  p , m: a Delivery 8 [2J b xxx")
    assert len(lines(told)[0]) == 400
    assert lines(told)[1:] == END
    titled = compose([dataclasses.replace(DROP, dataset="a\nb" * 200)], "7").title
    assert "\n" not in titled
    assert len(titled) < 500


def test_a_trial_says_that_it_is_one() -> None:
    assert trial("oncall").tone == "info"
    assert "test of the channel oncall" in trial("oncall").body
