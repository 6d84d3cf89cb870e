"""The page of the command line names every command with its options."""

import typer

from commonwatt.cli.main import app
from tests.docs.markdown import DOCS, first_column, section

PAGE = DOCS / "cli.md"
OF_EVERY_COMMAND = {"--data", "--database-url"}
OF_EVERY_CLIENT = {"--url", "--username", "--quiet", "--verbose"}
CLIENTS = {
    f"commonwatt {name}"
    for name in (
        "login",
        "sites",
        "meters",
        "sensors",
        "watch",
        "export",
    )
}
OF_BOTH = {
    "commonwatt mirror",
    *(f"commonwatt get {of}" for of in ("site", "meter", "raw", "sensor")),
}
"""Ask a server, and open a store."""
WITHOUT_STORE = {"commonwatt conformance", *CLIENTS}


def commands() -> dict[str, set[str]]:
    """The long options of every command, by its whole name."""
    found: dict[str, set[str]] = {}
    waiting = [("commonwatt", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        below = getattr(command, "commands", None)
        if below is None:
            options = {option for parameter in command.params for option in parameter.opts}
            found[name] = {option for option in options if option.startswith("--")}
        else:
            waiting += [(f"{name} {word}", each) for word, each in below.items()]
    return found


def test_every_command_has_a_heading_and_every_heading_a_command() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    headings = {line.removeprefix("## ") for line in lines if line.startswith("## ")}

    assert headings == set(commands())


def test_every_option_is_in_the_table_of_its_command() -> None:
    for name, options in commands().items():
        documented = first_column(section(PAGE, name))
        said_once = OF_EVERY_CLIENT if name in CLIENTS | OF_BOTH else set()
        said_once = said_once if name in CLIENTS else said_once | OF_EVERY_COMMAND
        assert documented == options - said_once, name


def test_what_every_command_takes_is_said_once() -> None:
    opens_store = [each for name, each in commands().items() if name not in WITHOUT_STORE]
    everywhere = set.intersection(*opens_store)

    assert everywhere == OF_EVERY_COMMAND
    clients = [each for name, each in commands().items() if name in CLIENTS | OF_BOTH]
    of_clients = set.intersection(*clients)
    assert of_clients >= OF_EVERY_CLIENT
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{option}" in text for option in everywhere | OF_EVERY_CLIENT)
