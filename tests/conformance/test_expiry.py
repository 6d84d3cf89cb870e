"""A token is refused after its time; the kit waits for it if it may."""

from commonwatt.adapters.store.account_store import SqlAccountStore
from commonwatt.adapters.tokens import JwtTokens
from commonwatt.conformance.judging.verdicts import Outcome
from commonwatt.conformance.run import chosen_checks, run_kit
from commonwatt.conformance.samples.evidence import Scope
from tests.conformance.breakable import Fault
from tests.conformance.clock import CLOCK
from tests.conformance.conftest import Server
from tests.conformance.faults import on_content

WAITING = Scope(fast=True, wait_for_expiry=True)


def nearly_over(server: Server) -> Fault:
    """Sign-ins are answered with tokens that were given long ago: a second is left to them."""
    tokens = JwtTokens(SqlAccountStore(server.store.database).signing_key())

    def old(content: dict[str, object]) -> dict[str, object]:
        given = tokens.issue("reader", 0, int(CLOCK()) - 899)
        end = {"$date": given.valid_until_at * 1000}
        return {**content, "access_token": given.token, "valid_until": end}

    return on_content("auth", old)


def test_our_own_tokens_end(server: Server) -> None:
    server.breakable.fault = nearly_over(server)

    (verdict,) = run_kit(
        server.target(), WAITING, chosen_checks(["auth.expiry"]), clock=CLOCK
    ).verdicts

    assert verdict.outcome is Outcome.HELD, verdict.seen
    assert "refused with 401" in verdict.seen


def test_a_server_whose_tokens_never_end_is_found(server: Server) -> None:
    # For the kit 15 minutes pass, for the server none: to the kit its tokens never end.
    slept: list[float] = []
    checks = chosen_checks(["auth.expiry"])

    (verdict,) = run_kit(server.target(), WAITING, checks, sleep=slept.append, clock=CLOCK).verdicts

    assert verdict.outcome is Outcome.FAILED
    assert "whose time is over" in verdict.seen
    (waited_s,) = slept
    assert 890 < waited_s < 920
