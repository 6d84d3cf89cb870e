"""Tokens: what is refused, and when they end."""

import jwt
import pytest

from commonwatt.adapters.tokens import REMEMBERED, JwtTokens, WeakSigningKey
from commonwatt.app.accounts.authorize import Claims, ExpiredToken, ForgedToken

SIGNING_KEY = b"a signing key of 32 bytes, or so"
NOW = 1_790_000_000.5
END = 1_790_000_900

CLAIMS: dict[str, object] = {"sub": "anna", "ver": 3, "exp": END}


def test_a_token_says_who_signed_in_until_when() -> None:
    tokens = JwtTokens(SIGNING_KEY)
    issued = tokens.issue("anna", 3, NOW)
    assert issued.valid_until_at == END
    assert tokens.read(issued.token, NOW) == Claims("anna", 3, END)


def test_every_process_with_the_key_reads_it() -> None:
    issued = JwtTokens(SIGNING_KEY).issue("anna", 3, NOW)
    assert JwtTokens(SIGNING_KEY).read(issued.token, NOW).account == "anna"


def test_it_ends_also_for_a_process_that_knows_it() -> None:
    tokens = JwtTokens(SIGNING_KEY)
    token = tokens.issue("anna", 3, NOW).token
    tokens.read(token, END - 0.001)
    with pytest.raises(ExpiredToken):
        tokens.read(token, END)
    with pytest.raises(ExpiredToken):
        JwtTokens(SIGNING_KEY).read(token, END)


def _signed(claims: dict[str, object], algorithm: str = "HS256") -> str:
    return jwt.encode(claims, SIGNING_KEY, algorithm=algorithm)


def _with_other_payload() -> str:
    head, _, signature = _signed(CLAIMS).split(".")
    _, payload, _ = _signed(CLAIMS | {"sub": "berta"}).split(".")
    return f"{head}.{payload}.{signature}"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("abc", id="no token at all"),
        pytest.param("a.b.c", id="not base64"),
        pytest.param("é.è.ê", id="not ASCII"),
        pytest.param("\ud800", id="not even text"),
        pytest.param(jwt.encode(CLAIMS, b"x" * 32, algorithm="HS256"), id="another key"),
        pytest.param(jwt.encode(CLAIMS, "", algorithm="none"), id="unsigned"),
        pytest.param(jwt.encode(CLAIMS, SIGNING_KEY * 2, algorithm="HS512"), id="HS512"),
        pytest.param(_with_other_payload(), id="altered"),
        pytest.param(_signed({"sub": "anna", "ver": 3}), id="without end"),
        pytest.param(_signed({"sub": "anna", "exp": END}), id="without version"),
        pytest.param(_signed({"ver": 3, "exp": END}), id="without account"),
        pytest.param(_signed(CLAIMS | {"ver": "3"}), id="version is text"),
        pytest.param(_signed(CLAIMS | {"exp": str(END)}), id="end is text"),
        pytest.param(_signed(CLAIMS | {"sub": 7}), id="account is a number"),
    ],
)
def test_what_we_did_not_sign_in_this_form_is_forged(token: str) -> None:
    with pytest.raises(ForgedToken):
        JwtTokens(SIGNING_KEY).read(token, NOW)


def test_the_right_key_with_another_algorithm_is_forged() -> None:
    token = jwt.encode(CLAIMS, SIGNING_KEY * 2, algorithm="HS384")
    with pytest.raises(ForgedToken):
        JwtTokens(SIGNING_KEY * 2).read(token, NOW)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(WeakSigningKey, match="31 bytes; at least 32"):
        JwtTokens(SIGNING_KEY[:31])


def test_only_so_many_tokens_are_remembered() -> None:
    tokens = JwtTokens(SIGNING_KEY)
    for version in range(REMEMBERED + 10):
        tokens.read(tokens.issue("anna", version, NOW).token, NOW)
    assert len(tokens._verified) <= REMEMBERED
