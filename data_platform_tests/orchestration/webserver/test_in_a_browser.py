"""What people see in a real browser: a button that is disabled and says so, and their name on what they launched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform_tests.orchestration.webserver.browser import Browser, open_browser, serving
from data_platform_tests.orchestration.webserver.world import World, document, execution

BUTTON = "[...document.querySelectorAll('button')].find(each => each.innerText.startsWith('Materialize'))"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with open_browser(tmp_path) as opened:
        yield opened


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with serving(world.client(None).app) as at:
        yield at


def test_a_viewer_sees_materialize_disabled_with_the_reason(browser: Browser, address: str, world: World) -> None:
    browser.open(f"{address}/assets/crsp_daily", world.tokens["viewer"])
    browser.until(f"!!{BUTTON}", "no button")
    assert browser.evaluate(f"{BUTTON}.disabled") is True
    browser.point_at(BUTTON)
    browser.until("document.body?.innerText.includes('You do not have permission to materialize assets')", "no reason")


def test_an_operators_launch_shows_their_name_on_the_run(browser: Browser, address: str, world: World) -> None:
    browser.open(f"{address}/assets/crsp_daily", world.tokens["operator"])
    browser.until(f"{BUTTON} && !{BUTTON}.disabled", "no button to press")
    # What the page sends when the Launchpad's button is pressed, in the page's own session, with a name that is forged.
    parameters = {"executionParams": execution("crsp_daily", reason="seen", **{"data_platform/user": "admin"})}
    body = json.dumps({"query": document("launchRun", parameters), "variables": parameters})
    headers = "{'content-type': 'application/json'}"
    answer = browser.evaluate(
        f"fetch('/graphql', {{method: 'POST', headers: {headers}, body: {json.dumps(body)}}}).then(each => each.json())"
    )
    run_id = answer["data"]["launchRun"]["run"]["runId"]
    browser.open(f"{address}/runs/{run_id}", world.tokens["operator"])
    tags = "[...document.querySelectorAll('button')].find(each => each.innerText.includes('View tags and config'))"
    browser.until(f"!!{tags}", "no button for the tags")
    browser.evaluate(f"{tags}.click()")
    shown = browser.until(
        "(document.body?.innerText.match(/data_platform\\/user\\s*[:=]?\\s*(\\w+)/) || [])[1]", "no name on the run"
    )
    assert shown == "operator"


def test_whoever_is_not_signed_in_gets_the_sign_in_page_and_then_the_ui(
    browser: Browser, address: str, world: World
) -> None:
    browser.tell("Page.navigate", url=f"{address}/assets/crsp_daily")
    browser.until("!!document.querySelector('input[name=token]')", "no form")
    token = world.tokens["viewer"]
    browser.evaluate(f"document.querySelector('input[name=token]').value = '{token}'")
    browser.evaluate("document.querySelector('form').submit()")
    browser.until("document.body?.innerText.includes('Deployment')", "no UI after signing in")
    assert browser.evaluate("document.cookie") == "", "a script can read the token"
