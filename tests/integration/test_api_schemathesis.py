"""Whatever the document allows, and what it does not: no 500, and no undocumented answer.

The seed is fixed; TELEALARM_SCHEMATHESIS_SEED sets another, and _EXAMPLES more of them.
"""

import asyncio
import os
from collections import Counter
from typing import Any

import aiohttp
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.integration.api_client import PASSWORD, Api
from tests.integration.test_api_tenants import all_of_it

pytestmark = pytest.mark.long

SEED = int(os.environ.get("TELEALARM_SCHEMATHESIS_SEED", "2013"))
EXAMPLES = int(os.environ.get("TELEALARM_SCHEMATHESIS_EXAMPLES", "3"))

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# Rows that exist, and one that does not.
IDS = st.sampled_from([1, 2, 3, 999_999])


def attack(document: dict[str, Any], origin: str, user: str) -> Counter[int]:
    """Send cases to every operation; the statuses that came. Raises what a check finds."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=origin)
    headers = {"Authorization": aiohttp.encode_basic_auth(user, PASSWORD)}
    came: Counter[int] = Counter()
    session = requests.Session()

    def send(case: Any, row_id: int) -> None:
        if "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = row_id
        response = case.call(session=session, headers=headers)
        came[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    with session:
        for found in schema.get_all_operations():
            operation = found.ok()
            modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
            # Of what takes nothing at all, nothing can be wrong.
            for mode in modes if _takes_something(operation) else modes[:1]:
                case = operation.as_strategy(generation_mode=mode)
                bounded = settings(
                    max_examples=EXAMPLES,
                    deadline=None,
                    database=None,
                    phases=[Phase.explicit, Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                seed(SEED)(bounded(given(case=case, row_id=IDS)(send)))()
    return came


def _takes_something(operation: Any) -> bool:
    return bool(operation.definition.raw.get("security", True))


async def test_no_500_and_no_undocumented_answer(api: Api) -> None:
    await all_of_it(api, "manager")
    # Who asks is none of the rows that are changed: a superuser beyond IDS.
    body = {"username": "fuzzer", "password": PASSWORD, "is_superuser": True}
    await api.made("users/", body, user="root")
    document = (await api.get("openapi.json", user=None)).body
    came = await asyncio.to_thread(attack, document, api.origin, "fuzzer")
    # The attack got past the login, and through to the rows.
    assert {200, 201, 400, 404} <= came.keys()
    assert 401 not in came
