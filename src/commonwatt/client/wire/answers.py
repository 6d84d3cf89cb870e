"""Answers: what they hold, which exception the others are, and whether to try again."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Never

from commonwatt.client.errors import (
    BadRequest,
    NotFound,
    Received,
    SignInRefused,
    SurprisingAnswer,
    TooManyRequests,
    Unreachable,
)
from commonwatt.client.wire.wire import Answer, Request

# Whoever is told to wait longer than this is told so, instead of hanging.
LONGEST_WAIT_S = 300.0
_SHOWN_BYTES = 200


def decoded(answer: Answer) -> object:
    """Return the parsed JSON of an answer. Raises SurprisingAnswer."""
    import orjson

    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise surprising(f"JSON should have come ({error})", answer) from None


def raise_fault(request: Request, answer: Answer) -> Never:
    """Raise what an answer other than 2xx means."""
    problem = _problem(answer)
    said = _said(problem) or _phrase(answer.status)
    asked = f"{request.method} {request.path}"
    match answer.status:
        case 401:
            raise SignInRefused(f"{asked}: {said}")
        case 403 | 404:
            raise NotFound(f"{asked}: {said}")
        case 429:
            raise TooManyRequests(f"{asked}: {said}", retry_after_s(answer))
        case status if 400 <= status < 500:
            raise BadRequest(f"{asked}: {said}", status, problem)
        case status if status >= 500:
            raise Unreachable(f"{asked}: {said} ({status})", retry_after_s(answer))
        case status if 300 <= status < 400 and "location" in answer.headers:
            raise surprising(
                f"{asked}: the server points to {answer.headers['location']}, and no redirect is "
                "followed",
                answer,
            )
        case _:
            raise surprising(f"{asked}: an answer of this API has the status 200", answer)


def surprising(message: str, answer: Answer) -> SurprisingAnswer:
    """Return the exception that shows what came."""
    kind = answer.headers.get("content-type", "")
    return SurprisingAnswer(message, Received(answer.status, kind, answer.body[:_SHOWN_BYTES]))


def next_try(error: Exception) -> bool | float:
    """Whether to try again, or after how long [s] where the server says that."""
    if isinstance(error, TooManyRequests | Unreachable):
        wait_s = error.retry_after_s
        if wait_s is None:
            return True
        return wait_s if wait_s <= LONGEST_WAIT_S else False
    return False


def answered_at(answer: Answer) -> float:
    """Return when an answer was given [Unix s], by the server's clock where it tells its time.

    What servers say of the future is meant by their clock, not by one of ours that may be wrong.
    """
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return time.time()


def retry_after_s(answer: Answer) -> float | None:
    """Return what Retry-After says [s], of seconds or a date; None where it says nothing."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - answered_at(answer))
    except (TypeError, ValueError):
        return None


def _problem(answer: Answer) -> Mapping[str, object]:
    try:
        problem = decoded(answer)
    except SurprisingAnswer:
        return {}
    return problem if isinstance(problem, dict) else {}


def _said(problem: Mapping[str, object]) -> str:
    for key in ("detail", "description", "message", "title", "error"):
        if isinstance(said := problem.get(key), str):
            return said
    return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.lower()
    except ValueError:
        return f"status {status}"
