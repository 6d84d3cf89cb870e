"""Tokens of 15 minutes: JWT, signed by HMAC-SHA256 with a key of the store or of the settings."""

import jwt

from commonwatt.app.accounts.authorize import Claims, ExpiredToken, ForgedToken, IssuedToken

LIFETIME_S = 900
SHORTEST_KEY = 32  # bytes: as long as what HMAC-SHA256 gives, RFC 7518 section 3.2
REMEMBERED = 4096  # tokens; a token is read many times in its 15 minutes

_ALGORITHM = "HS256"
# The signature is judged by the library, the end by us, against the time that the caller gives.
_READING: jwt.types.Options = {
    "require": ["sub", "ver", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class WeakSigningKey(ValueError):
    """The signing key is too short to sign with."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"the signing key has {length} bytes; at least {SHORTEST_KEY} random ones are needed"
        )


class JwtTokens:
    """Issues tokens and reads them back; tokens once verified are remembered.

    ``signing_key`` is random bytes, at least 32. Raises WeakSigningKey.

    >>> tokens = JwtTokens(b"only for this example, 32 bytes+")
    >>> issued = tokens.issue("anna", token_version=0, now=1_700_000_000.25)
    >>> issued.valid_until_at
    1700000900
    >>> tokens.read(issued.token, now=1_700_000_899).account
    'anna'
    >>> tokens.read(issued.token, now=1_700_000_900)
    Traceback (most recent call last):
    ...
    commonwatt.app.accounts.authorize.ExpiredToken: the token has expired; sign in again
    """

    def __init__(self, signing_key: bytes) -> None:
        if len(signing_key) < SHORTEST_KEY:
            raise WeakSigningKey(len(signing_key))
        self._signing_key = signing_key
        self._verified: dict[str, Claims] = {}

    def issue(self, account: str, token_version: int, now: float) -> IssuedToken:
        """Sign a token for 15 minutes from ``now`` (Unix seconds) on, ending on a whole second."""
        expires_at = int(now) + LIFETIME_S
        claims: dict[str, str | int] = {
            "sub": account,
            "ver": token_version,
            "iat": int(now),
            "exp": expires_at,
        }
        token = jwt.encode(claims, self._signing_key, algorithm=_ALGORITHM)
        return IssuedToken(token, expires_at)

    def read(self, token: str, now: float) -> Claims:
        """What a token of ours says. Raises ForgedToken, or ExpiredToken from its end on."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._verify(token)
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified[token] = claims
        if now >= claims.expires_at:
            self._verified.pop(token, None)
            raise ExpiredToken
        return claims

    def _verify(self, token: str) -> Claims:
        try:
            said = jwt.decode(token, self._signing_key, algorithms=[_ALGORITHM], options=_READING)
        except (jwt.InvalidTokenError, UnicodeError) as error:
            raise ForgedToken from error
        account, token_version, expires_at = said["sub"], said["ver"], said["exp"]
        if not (isinstance(token_version, int) and isinstance(expires_at, int)):
            raise ForgedToken
        return Claims(account, token_version, expires_at)
