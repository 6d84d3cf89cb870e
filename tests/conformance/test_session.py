"""How the kit asks: its pace, refusals, and servers that fall silent."""

import contextlib
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from commonwatt.conformance.asking.session import SignInRefused, Unreachable
from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.reports import as_json, as_junit, line_of
from commonwatt.conformance.run import Report, Target, chosen_checks, run_kit
from commonwatt.conformance.samples.evidence import Scope

TOKEN = b'{"access_token": "a.b.c", "valid_until": {"$date": 4102444800000}}'
SILENCE = (0, b"")


class Script:
    """What a server answers, by path: status and body, one after the other, the last for ever."""

    def __init__(self, **answers: list[tuple[int, bytes]]) -> None:
        self.answers = {"/api/v1/auth": [(200, TOKEN)]}
        self.answers |= {f"/api/v1/{path}": list(each) for path, each in answers.items()}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}

    def next(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        waiting = self.answers.get(path, [SILENCE])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


@contextlib.contextmanager
def served(script: Script) -> Iterator[str]:
    """Serve a script on loopback; silence closes the connection without an answer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = script.next(self.path)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "7")
            if not self.path.endswith("/auth"):
                for name, value in script.headers.items():
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815  # names of the library

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kit(script: Script, *only: str, slept: list[float] | None = None) -> Report:
    """Run some checks; waiting is told to ``slept`` and takes no time."""
    waited = [] if slept is None else slept
    with served(script) as url:
        target = Target(url, "reader", "secret")
        return run_kit(target, Scope(), chosen_checks(only), sleep=waited.append)


def test_a_refusal_for_haste_is_waited_out() -> None:
    slept: list[float] = []
    sites = [(429, b"{}"), (200, json.dumps([{"id": "a"}]).encode())]

    report = kit(Script(all_installations=sites), "all_installations.list", slept=slept)

    assert report.verdicts[0].outcome is Outcome.HELD
    # Longer than the pace asks for: it is the server's wait.
    assert 1.05 < max(slept) <= 7


def test_one_question_without_an_answer_fails_its_check() -> None:
    sites = [SILENCE, (200, b"[]")]

    report = kit(Script(all_installations=sites), "all_installations.list")

    assert report.verdicts[0].outcome is Outcome.FAILED
    assert report.verdicts[0].seen.startswith("no answer: ")


def test_a_server_that_falls_silent_ends_the_run() -> None:
    with pytest.raises(Unreachable, match="no answer"):
        kit(Script())


def test_each_question_is_asked_once() -> None:
    script = Script(all_installations=[(200, json.dumps([{"id": "a"}]).encode())])

    kit(script, "all_installations")

    assert script.asked.count("/api/v1/all_installations") == 1


def test_without_a_token_nothing_else_is_judged() -> None:
    report = kit(Script(auth=[(200, b'{"token": "a.b.c"}')]))

    # The script takes any password.
    failed = {each.id for each in report.verdicts if each.outcome is Outcome.FAILED}
    assert failed == {"auth.answer", "auth.wrong_password"}
    assert report.count(Outcome.NOT_CHECKED) == len(report.verdicts) - len(failed)


@pytest.mark.parametrize("token", ["two words", "line\\n", "Z\u00fcrich"])
def test_a_token_that_no_request_can_bear_is_told_and_not_shown(token: str) -> None:
    answer = f'{{"access_token": "{token}", "valid_until": {{"$date": 0}}}}'.encode()

    report = kit(Script(auth=[(200, answer)]), "auth.answer", "all_installations")

    first, *others = report.verdicts
    assert (first.id, first.outcome) == ("auth.answer", Outcome.FAILED)
    assert {each.outcome for each in others} == {Outcome.NOT_CHECKED}
    assert {each.seen for each in report.verdicts} == {
        "the access_token is none that the header of a request can bear"
    }


def test_a_sign_in_without_a_token_is_no_success_of_other_checks() -> None:
    script = Script(auth=[(200, b'{"token": "a.b.c"}')])

    with pytest.raises(SignInRefused, match="not answered with an access_token"):
        kit(script, "meter_info")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "within each other"),
        (b'["\\ud800"]', "surrogates not allowed"),
        (b"[1e999999999]", "is no number"),
        (b"[NaN]", "NaN is no JSON"),
        (b'["\xff"]', "can't decode byte"),
    ],
    ids=["deep", "half a letter", "beyond numbers", "NaN", "no UTF-8"],
)
def test_what_is_no_json_fails_the_check_and_not_the_run(body: bytes, fault: str) -> None:
    report = kit(Script(all_installations=[(200, body)]), "all_installations")

    failed = next(each for each in report.verdicts if each.id == "all_installations.list")
    assert failed.outcome is Outcome.FAILED
    assert fault in failed.seen
    for text in (*map(line_of, report.verdicts), as_json(report), as_junit(report)):
        assert text.encode()


def test_an_id_cannot_lead_elsewhere() -> None:
    script = Script(all_installations=[(200, b'[{"id": "a?b#c\\u0000"}]')])

    kit(script, "installation_infos.object")

    assert "/api/v1/meter_info/a%3Fb%23c%00" in script.asked


def test_an_answer_without_an_end_is_not_kept() -> None:
    packing = zlib.compressobj(level=1, wbits=31)
    blank = b" " * 2**20
    packed = b"".join(packing.compress(blank) for _ in range(257)) + packing.flush()
    script = Script(all_installations=[(200, packed)])
    script.headers = {"Content-Encoding": "gzip"}

    report = kit(script, "all_installations.list")

    assert report.verdicts[0].seen == "no answer: the answer does not come to its end"


def test_a_server_that_sends_the_password_back_does_not_get_it_shown() -> None:
    password = 's"écret'
    echo = json.dumps({"detail": json.dumps({"password": password})}).encode()
    with (
        served(Script(auth=[(400, echo)])) as url,
        pytest.raises(SignInRefused) as caught,
    ):
        run_kit(Target(url, "reader", password), Scope())

    assert "***" in str(caught.value)
    assert "cret" not in str(caught.value)


def test_a_proxy_of_the_environment_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://127.0.0.1:1")

    with pytest.raises(Unreachable, match="no connection can be made"):
        run_kit(Target("http://127.0.0.1:1/api/v1", "reader", "secret"), Scope())


def test_a_route_is_asked_once_a_second() -> None:
    slept: list[float] = []
    sites = [(200, json.dumps([{"id": "a"}]).encode())]

    kit(Script(all_installations=sites), "all_installations.list", "token.all", slept=slept)

    # The list and two refusals to be: the second and the third question wait.
    assert len(slept) == 2
    assert all(0 < each <= 1.05 for each in slept)
