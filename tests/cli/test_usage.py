"""Exit codes and one-line errors."""

import subprocess
import sys
from pathlib import Path

import pytest

from commonwatt import __version__
from tests.cli.command import CommandLine, run

COMMANDS = (
    *(("demo",), ("serve",), ("apply",), ("import",), ("status",), ("settle",), ("mirror",)),
    *(("account", name) for name in ("add", "list", "grant", "revoke", "password", "disable")),
    *(("account", "key", name) for name in ("new", "list", "revoke")),
    *(("delivery", name) for name in ("list", "show", "withdraw", "reinstate")),
)


def test_the_version(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).out == f"commonwatt {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*command, "--help", folder=tmp_path)
    assert ended.code == 0
    assert "Example" in ended.out
    assert "--data" in ended.out
    assert "--database-url" in ended.out


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("apply",),
        ("serve", "--port", "99999"),
        ("serve", "--port", "0", "--tls-cert", "x.pem"),
        ("serve", "--port", "0", "--trusted-proxy", "everyone"),
        ("account", "add", "heidi", "--role", "king"),
        ("account", "add", "heidi", "--history-from", "yesterday"),
        ("account", "add", "heidi", "--history-from", "0001-01-01"),
        ("delivery", "withdraw", "1"),
        ("import", "x.csv"),
        ("import", "x.csv", "--meter", "a", "--sensor", "b"),
        ("import", "x.csv", "--meter", "a", "--timezone", "Europe/Nowhere"),
    ],
)
def test_wrong_usage_is_2_and_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*words, folder=tmp_path)
    assert ended.code == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith("commonwatt: ")
    assert not list(tmp_path.iterdir()), "wrong usage makes nothing"


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("settle",),
        ("delivery", "list"),
        ("account", "list"),
        ("apply", "nowhere.yaml"),
        ("import", "nowhere.csv", "--meter", "a"),
        ("status", "--database-url", "garbage"),
        ("status", "--database-url", "mysql://127.0.0.1/x"),
        ("status", "--database-url", "postgresql://nobody@127.0.0.1:1/x"),
        ("status", "--database-url", "sqlite:////nowhere/at/all.sqlite"),
    ],
)
def test_what_cannot_be_done_is_1_and_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*words, folder=tmp_path)
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith("commonwatt: ")


def test_a_file_that_is_no_store_is_told_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "commonwatt-data").mkdir()
    (tmp_path / "commonwatt-data" / "commonwatt.sqlite").write_text("not a database at all" * 99)
    ended = run("status", folder=tmp_path)
    assert ended.code == 1
    assert ended.err.startswith("commonwatt: the store's file is damaged (file is not a database)")
    assert len(ended.err.splitlines()) == 1


def test_without_the_server_extra_it_says_what_to_install(tmp_path: Path) -> None:
    # A process in which the extra's packages cannot be imported.
    hidden = "import sys; sys.modules.update(dict.fromkeys(('numpy', 'sqlalchemy', 'pydantic')))"
    call = "from commonwatt.cli.main import main; sys.argv = ['commonwatt', 'status']; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}; {call}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install '.[server]' in the checkout" in done.stderr


def test_help_needs_nothing_of_the_server_extra() -> None:
    hidden = "import sys; from commonwatt.cli import main"
    heavy = ["numpy", "sqlalchemy", "fastapi", "polars", "alembic", "pydantic", "uvicorn", "yaml"]
    check = f"print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}; {check}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_environment_names_a_store(cw: CommandLine, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    (tmp_path / "site.yaml").write_text("site: {site_ref: A, name: B, timezone: UTC}")
    more = {"COMMONWATT_DATABASE_URL": url}
    assert run("apply", "site.yaml", folder=tmp_path, more=more).code == 0
    assert "site A" in run("status", folder=tmp_path, more=more).out
    assert not (tmp_path / "commonwatt-data").exists()
    # What is given on the command line wins.
    assert cw("status", more=more).code == 1


def test_a_setting_that_is_wrong_is_named_as_it_was_set(tmp_path: Path) -> None:
    by_variable = run("status", folder=tmp_path, more={"COMMONWATT_PORT": "many"})
    assert "COMMONWATT_PORT: " in by_variable.err
    by_option = run("serve", "--trusted-proxy", "everyone", folder=tmp_path)
    assert "--trusted-proxy: " in by_option.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tls-cert", "x.pem"), "--tls-key (COMMONWATT_TLS_KEY) is missing"),
        (("--tls-key", "x.pem"), "--tls-cert (COMMONWATT_TLS_CERT) is missing"),
        (("--tls-cert", "x.pem", "--tls-key", "there.pem"), "x.pem: No such file or directory"),
        (("--tls-cert", "there.pem", "--tls-key", "x.pem"), "x.pem: No such file or directory"),
        (("--tls-cert", "there.pem", "--tls-key", "there.pem"), "are no certificate chain"),
    ],
)
def test_which_file_of_tls_is_wrong(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    (tmp_path / "there.pem").write_text("-----BEGIN NOTHING-----")

    ended = run("serve", "--port", "0", *words, folder=tmp_path)

    assert ended.code in (1, 2)
    assert told in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_dry_run_needs_no_store_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("site: {site_ref: A, name: B, timezone: UTC}")

    tried = run("apply", "site.yaml", "--dry-run", folder=tmp_path)

    assert (tried.code, tried.err) == (0, "")
    assert tried.out.startswith("site A: added")
    assert [each.name for each in tmp_path.iterdir()] == ["site.yaml"]
