"""Who signs in where: arguments before the environment before the keyring."""

from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.null import Keyring as TurnedOff
from keyring.errors import KeyringLocked, PasswordSetError

from commonwatt.client import Climkit, NoCredentials
from commonwatt.client.credentials import Credentials, find_credentials, keep_credentials

URL = "http://127.0.0.1:8000/api/v1"


class Memory(KeyringBackend):
    """A keyring that forgets everything with the process."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        self.is_locked = False
        self._kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise KeyringLocked("locked")
        return self._kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self._kept[service, username]


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Put a keyring of this test's own in the place of the user's."""
    before = keyring.get_keyring()
    mine = Memory()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_arguments_go_first(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIMKIT_URL", "http://elsewhere.example")
    monkeypatch.setenv("CLIMKIT_USERNAME", "somebody")
    monkeypatch.setenv("CLIMKIT_PASSWORD", "wrong")

    assert find_credentials(URL, "anna", "secret") == Credentials(URL, "anna", "secret")


def test_the_environment_goes_before_the_keyring(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_credentials(Credentials(URL, "bert", "of the keyring"))
    monkeypatch.setenv("CLIMKIT_URL", URL)
    monkeypatch.setenv("CLIMKIT_USERNAME", "anna")
    monkeypatch.setenv("CLIMKIT_PASSWORD", "secret")

    assert find_credentials() == Credentials(URL, "anna", "secret")
    assert find_credentials(username="carl") == Credentials(URL, "carl", "secret")


def test_the_keyring_knows_the_rest(memory: Memory) -> None:
    keep_credentials(Credentials(URL, "anna", "secret"))

    assert find_credentials(URL) == Credentials(URL, "anna", "secret")
    assert find_credentials(URL, "anna") == Credentials(URL, "anna", "secret")
    with Climkit(URL) as climkit:
        assert climkit.username == "anna"


def test_another_server_has_other_credentials(memory: Memory) -> None:
    keep_credentials(Credentials(URL, "anna", "secret"))

    with pytest.raises(NoCredentials, match="no user name for https://api"):
        find_credentials()
    with pytest.raises(NoCredentials, match="no password of bert"):
        find_credentials(URL, "bert")


def test_a_locked_keyring_is_as_none(memory: Memory) -> None:
    keep_credentials(Credentials(URL, "anna", "secret"))
    memory.is_locked = True

    with pytest.raises(NoCredentials, match="commonwatt login"):
        Climkit(URL)


@pytest.mark.parametrize("name", ["username", "user name", URL])
def test_any_name_can_be_kept(memory: Memory, name: str) -> None:
    keep_credentials(Credentials(URL, name, "secret"))

    assert find_credentials(URL) == Credentials(URL, name, "secret")


def test_a_keyring_that_is_turned_off_keeps_nothing(memory: Memory) -> None:
    keyring.set_keyring(TurnedOff())  # type: ignore[no-untyped-call]  # keyring's

    with pytest.raises(PasswordSetError, match="keeps nothing"):
        keep_credentials(Credentials(URL, "anna", "secret"))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000", URL),
        ("http://127.0.0.1:8000/", URL),
        (URL, URL),
        ("https://energy.example/climkit/", "https://energy.example/climkit"),
        (None, "https://api.climkit.io/api/v1"),
    ],
)
def test_addresses(given: str | None, url: str) -> None:
    assert find_credentials(given, "anna", "secret").url == url


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://x.example",
        "https://",
        "localhost",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:http",
        "http://[::1",
        "http://two words.example",
        "http://line.example\n",
        "http://two..dots.example",
        "http://bücher..example",
        "http://☃.example",
        "http://query.example/?site=1",
        "http://fragment.example/#site",
    ],
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Climkit(url, "anna", "secret")


def test_the_password_is_never_shown() -> None:
    assert "secret" not in repr(Credentials(URL, "anna", "secret"))


def test_an_address_bears_no_password_and_none_is_shown() -> None:
    for url in ("http://anna:secret@127.0.0.1:8000", "ftp://anna:secret@x", "anna:secret@x"):
        with pytest.raises(ValueError, match="no password in it") as caught:
            Climkit(url, "anna", "secret")
        assert "secret" not in str(caught.value)


def test_what_is_no_text_is_told_and_not_shown() -> None:
    """A password of the environment in another encoding than UTF-8 comes so."""
    with pytest.raises(NoCredentials, match="is it UTF-8") as caught:
        Climkit(URL, "anna", "secr\udce9t")

    assert "secr" not in str(caught.value)
