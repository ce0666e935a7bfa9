"""The published contract, judged by an independent tool that reads it and tries to break the server with it."""

from __future__ import annotations

from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case

from integrations.sandbox.server import create_app
from tests.contracts.stage import SECRET, TOKEN, Town
from tests.servers import SandboxHandle

# The document is the application's own; the requests go to the running town.
CONTRACT = schemathesis.openapi.from_dict(
    create_app("sqlite://", SECRET, "virtual", control_token=TOKEN).openapi()
)


@CONTRACT.parametrize()
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_server_keeps_its_contract(case: Case[Any], sandbox: SandboxHandle) -> None:
    with requests.Session() as session:
        session.trust_env = False
        case.call_and_validate(base_url=sandbox.url, session=session)


async def test_every_refusal_has_the_published_form(town: Town) -> None:
    client = town.client
    answers = [
        await client.get(f"{town.url}/no/such/place"),
        await client.delete(f"{town.url}/billers"),
        await client.post(f"{town.url}/rail/charges", json={"order": "o1"}),
        await client.post(f"{town.url}/rail/charges", content=b"{"),
        await client.post(f"{town.url}/billers/bj-water/holder", json={"number": "0000000000"}),
        await client.post(f"{town.url}/billers/nobody/holder", json={"number": "0000000000"}),
    ]
    assert [a.status_code for a in answers] == [404, 405, 422, 422, 404, 404]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"title", "status", "reason", "message"} <= answer.json().keys()
        assert "0000000000" not in answer.text


async def test_amounts_are_whole_fen_and_nothing_else(town: Town) -> None:
    good = {"order": "o1", "instrument": "pm-limin", "token": "t", "payee": "bj-water"}
    for amount in ("100", 1.5, True, 0, -1, 5_000_001, None):
        answer = await town.client.post(f"{town.url}/rail/charges", json={**good, "amount_fen": amount})
        assert answer.status_code == 422
    surplus = {**good, "amount_fen": 100, "surprise": 1}
    assert (await town.client.post(f"{town.url}/rail/charges", json=surplus)).status_code == 422
