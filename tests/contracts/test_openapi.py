"""The published contract and the control port's, judged by an independent tool that reads them and tries to break the town."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case

from integrations.sandbox.control import ControlError, SandboxControl
from integrations.sandbox.fault_kinds import MEANING, FaultKind
from integrations.sandbox.server import create_app
from tests.contracts.stage import SECRET, TOKEN, WORLD, Town, over_http
from tests.servers import SandboxHandle, start_sandbox

# The documents are the application's own; the requests go to a running town.
_APP = create_app("sqlite://", SECRET, "virtual", control_token=TOKEN)
PUBLIC = schemathesis.openapi.from_dict(_APP.openapi())
# Where callbacks go is tried by hand below: nobody of this machine should be sent what chance writes.
CONTROL = schemathesis.openapi.from_dict(_APP.state.control_contract()).exclude(path="/control/callback_url")
# The key is ours to send: a case made wrong only by its absence would not be wrong when it arrives.
CONTROL.config.generation.update(with_security_parameters=False)
BOUNDED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxHandle]:
    """A town that nobody else lives in: chance settles it anew all the time."""
    with start_sandbox(tmp_path_factory.mktemp("loose")) as handle:
        yield handle


@pytest.fixture
async def settled(loose: SandboxHandle) -> AsyncIterator[Town]:
    async with over_http(loose) as fresh:
        yield fresh


@PUBLIC.parametrize()
@BOUNDED
def test_the_town_keeps_its_contract(case: Case[Any], town: SandboxHandle) -> None:
    with _session() as session:
        case.call_and_validate(base_url=town.url, session=session)


@CONTROL.parametrize()
@BOUNDED
def test_the_control_port_keeps_its_contract(case: Case[Any], loose: SandboxHandle) -> None:
    with _session() as session:
        key = {"Authorization": f"Bearer {loose.control_token}"}
        # Chance may shut the front door; the control port has a door of its own.
        case.call_and_validate(base_url=loose.control_url, session=session, headers=key)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def test_the_control_port_is_no_part_of_the_published_contract() -> None:
    assert not [path for path in _APP.openapi()["paths"] if path.startswith(("/control", "/pay"))]
    control = _APP.state.control_contract()["paths"]
    assert {"/control/faults", "/control/seed", "/control/clock", "/control/world"} <= set(control)


async def test_after_everything_chance_did_the_town_still_lives(settled: Town, loose: SandboxHandle) -> None:
    control = SandboxControl(loose.control_url, loose.control_token)
    await control.load_world(WORLD)
    await control.clear_faults()
    assert (await settled.client.get(f"{settled.url}/health/rail")).json()["up"]
    await control.aclose()


async def test_every_fault_has_a_name_and_a_meaning_and_can_be_asked_for(settled: Town) -> None:
    control = settled.stage.control
    assert await control.known_faults() == {kind.value: MEANING[kind] for kind in FaultKind}
    for kind in set(FaultKind) - {FaultKind.CONNECTION_REFUSED}:
        await control.fault("rail", kind, order="o1")
    assert (await control.inspect()).faults == len(FaultKind) - 1
    with pytest.raises(ControlError, match="409"):
        await control.fault("biller", "fifty_callbacks")
    with pytest.raises(ControlError, match="409"):
        await control.seed_faults(1, "down")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "http://127.0.0.1.example.org/",
        "https://127.0.0.1/",
        "http://[::1]/",
        "file:///x",
    ],
)
async def test_the_town_tells_nobody_outside_this_machine(
    settled: Town, loose: SandboxHandle, url: str
) -> None:
    key = {"Authorization": f"Bearer {loose.control_token}"}
    where = f"{loose.control_url}/control/callback_url"
    answer = await settled.client.post(where, json={"url": url}, headers=key)
    assert answer.status_code == 422


async def test_every_refusal_has_the_published_form(settled: Town) -> None:
    client = settled.client
    answers = [
        await client.get(f"{settled.url}/no/such/place"),
        await client.delete(f"{settled.url}/billers"),
        await client.post(f"{settled.url}/rail/charges", json={"order": "o1"}),
        await client.post(f"{settled.url}/rail/charges", content=b"{"),
        await client.post(f"{settled.url}/billers/bj-water/holder", json={"number": "0000000000"}),
        await client.post(f"{settled.url}/billers/nobody/holder", json={"number": "0000000000"}),
    ]
    assert [a.status_code for a in answers] == [404, 405, 422, 422, 404, 404]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"title", "status", "reason", "message"} <= answer.json().keys()
        assert "0000000000" not in answer.text


async def test_amounts_are_whole_fen_and_nothing_else(settled: Town) -> None:
    good = {"order": "o1", "instrument": "pm-limin", "token": "t", "payee": "bj-water"}
    for amount in ("100", 1.5, True, 0, -1, 5_000_001, None):
        answer = await settled.client.post(f"{settled.url}/rail/charges", json={**good, "amount_fen": amount})
        assert answer.status_code == 422
    surplus = {**good, "amount_fen": 100, "surprise": 1}
    assert (await settled.client.post(f"{settled.url}/rail/charges", json=surplus)).status_code == 422
