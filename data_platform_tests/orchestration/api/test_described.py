"""The interface holds what its description says, whatever schemathesis makes of it."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from data_platform_tests.orchestration.api.served import Served

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SLOW = {("POST", "/queries"), ("POST", "/exports"), ("POST", "/queries/dry-run")}
"""What runs queries: fewer of them."""


def test_made_up_requests_get_answers_that_the_description_knows(served: Served, torture: bool) -> None:
    with served.http("operator") as http:
        described: dict[str, Any] = http.get("openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=f"{served.url}/api/v1")
    bearer = {"Authorization": f"Bearer {served.world.tokens['operator']}"}
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        most = 300 if torture else (3 if (operation.method.upper(), operation.path) in SLOW else 6)

        @settings(
            max_examples=most,
            deadline=None,
            database=None,
            derandomize=not torture,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def asks(case: Any) -> None:  # noqa: ANN401 - schemathesis' own
            case.call_and_validate(headers=bearer, checks=CHECKS, timeout=60)

        asks()
        tried += 1
    assert tried >= 25
