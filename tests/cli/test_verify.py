"""``commonwatt verify``: what it says, and with which exit code."""

from sqlalchemy import text

from commonwatt.adapters.store.opening import open_database
from tests.cli.command import CommandLine

FLAT = "61dfcb4beba4e3563fdf3d9f"


def change(house: CommandLine, statement: str) -> None:
    database = open_database(f"sqlite:///{house.folder / 'data' / 'commonwatt.sqlite'}")
    with database.write() as connection:
        assert connection.execute(text(statement)).rowcount == 1
    database.close()


def filled(house: CommandLine) -> None:
    rows = "\n".join(f"2026-01-01T{hour:02}:00:00Z,{hour}" for hour in range(24))
    file = house.write("rows.csv", f"timestamp,en_im\n{rows}\n")
    assert house("import", file, "--meter", FLAT).code == 0
    assert house("settle").code == 0


def test_a_sound_store_is_said_to_be_so(house: CommandLine) -> None:
    filled(house)
    ended = house("verify")
    assert (ended.code, ended.err) == (0, "")
    (line,) = ended.lines
    assert line.startswith("site ")
    assert line.endswith(": all as it was stored")
    assert house("verify", "--site", "nobody").code == 1


def test_faults_are_listed_and_what_is_computed_is_repaired(house: CommandLine) -> None:
    filled(house)
    change(house, "UPDATE meter_days SET quality_total = zeroblob(96) WHERE day = 20454")
    ended = house("verify")
    assert ended.code == 1
    *faults, last = ended.lines
    assert FLAT in faults[0]
    assert "2026-01-01" in faults[0]
    assert last.endswith("1 fault")
    ended = house("verify", "--repair")
    assert ended.code == 0
    assert ended.lines[-1].endswith("1 fault; 1 day was settled again")
    assert house("verify").code == 0


def test_damaged_readings_are_told_and_left_as_they_are(house: CommandLine) -> None:
    filled(house)
    change(house, "UPDATE raw_readings SET readings = zeroblob(length(readings)) WHERE day = 20454")
    for arguments in (("verify",), ("verify", "--repair")):
        ended = house(*arguments)
        assert ended.code == 1
        assert "readings are damaged" in ended.lines[0]
        assert "2026-01-01" in ended.lines[0]
