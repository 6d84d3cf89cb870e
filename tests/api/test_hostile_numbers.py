"""Numbers that no type holds, wherever a number may be said: refused by name, never our fault."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.building import ANNA, SITE
from tests.api.conftest import Clients

HOSTILE = (
    "1e99999999999999999999",
    "-1e99999999999999999999",
    "1e-99999999999999999999",
    "1e400",
    "-1e400",
    "9" * 400,
    "9223372036854775808",
    "NaN",
    "Infinity",
    "1e999999",
)
OWN = f"/commonwatt/v1/sites/{SITE}"


def bodies(document: dict[str, object]) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Yield method, path and an example body of every operation that has a JSON body."""
    for path, operations in document["paths"].items():  # type: ignore[attr-defined]
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            media = content.get("application/json")
            if media is None:
                continue
            example = media.get("example")
            if example is None and "examples" in media:
                example = next(iter(media["examples"].values()))["value"]
            if example is not None:
                yield method, path, example


def replaced(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the way to every value within one."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from replaced(each, (*path, key))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from replaced(each, (*path, at))
    else:
        yield path


MARK = "hostile-number"


def with_mark(value: object, path: tuple[object, ...]) -> object:
    if not path:
        return MARK
    if isinstance(value, dict):
        return {k: with_mark(v, path[1:]) if k == path[0] else v for k, v in value.items()}
    assert isinstance(value, list)
    return [with_mark(v, path[1:]) if at == path[0] else v for at, v in enumerate(value)]


def test_no_number_in_a_body_is_our_fault(address: str, client: Clients) -> None:
    operator, gateway = client("operator"), client("gateway")
    document = httpx2.get(f"{address}/openapi.json").json()
    asked = 0
    for method, template, example in bodies(document):
        path = template.replace("{site_id}", SITE).replace("{meter_id}", ANNA)
        path = path.replace("{group}", "electricity").replace("{number}", "1")
        path = path.replace("{meter_type}", "electricity")
        sender = gateway if "readings" in path else operator
        for way in replaced(example):
            for number in HOSTILE:
                body = json.dumps(with_mark(example, way)).replace(f'"{MARK}"', number)
                answer = sender.request(
                    method,
                    path,
                    content=body.encode(),
                    headers={"Content-Type": "application/json"},
                )
                asked += 1
                assert answer.status_code < 500, (method, path, body[:200], answer.text)
    assert asked > 200


@pytest.mark.parametrize("number", HOSTILE)
def test_the_field_is_named(client: Clients, number: str) -> None:
    body = f'{{"until": {number}}}'.encode()
    answer = client("operator").put(
        f"{OWN}/locks/electricity", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] in ("until", "body")


@pytest.mark.parametrize("number", HOSTILE)
@pytest.mark.parametrize(
    "path",
    [
        f"{OWN}/worklist?estimated_limit=",
        f"{OWN}/findings?limit=",
        f"{OWN}/differences?limit=",
        f"{OWN}/meters/{ANNA}/series?start=",
        f"{OWN}/balance?as_of=",
        f"{OWN}/explain?meter={ANNA}&at=",
        f"/api/v1/{SITE}/sensor_data/{ANNA}?t_s=",
    ],
)
def test_no_number_in_a_query_is_our_fault(client: Clients, path: str, number: str) -> None:
    answer = client("operator").get(path + number)

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("number", HOSTILE)
def test_no_number_in_a_path_is_our_fault(client: Clients, number: str) -> None:
    answer = client("operator").delete(f"{OWN}/edits/{number}")

    assert answer.status_code < 500, answer.text
