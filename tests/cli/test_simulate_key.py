"""Replaying a period under another key on the command line."""

import json

from tests.cli.command import CommandLine

IDS = {name: f"61dfcb4beba4e3563fdf3d{number}" for name, number in (("A", "a1"), ("B", "b2"))}
PV = "61dfcb4beba4e3563fdf3dc3"
SITE = f"""
site: {{site_ref: CH-12, name: Tilleuls, timezone: Europe/Zurich}}
meters:
  - {{id: {IDS["A"]}, name: A, type: electricity, mode: consumption, prim_ad: 11}}
  - {{id: {IDS["B"]}, name: B, type: electricity, mode: consumption, prim_ad: 12}}
  - {{id: {PV}, name: PV, type: electricity, mode: production, prim_ad: 101}}
"""
PERIOD = ("--start", "2026-07-01", "--end", "2026-07-02T00:00:00+02:00")


def imported(cw: CommandLine, meter: str, register: str, wh: int) -> None:
    """Import 4 quarter-hours of so many Wh each."""
    rows = [f"2026-07-01T10:{15 * at:02}:00,{1 + wh * at / 1000:.3f}" for at in range(4)]
    rows.append(f"2026-07-01T11:00:00,{1 + wh * 4 / 1000:.3f}")
    file = cw.write("rows.csv", f"timestamp,{register}\n" + "\n".join(rows) + "\n")
    assert cw("import", file, "--meter", meter).code == 0


def test_it_shows_who_gains_and_who_loses(cw: CommandLine) -> None:
    assert cw("apply", cw.write("site.yaml", SITE)).code == 0
    imported(cw, IDS["A"], "en_im", 90)
    imported(cw, IDS["B"], "en_im", 30)
    imported(cw, PV, "en_ex", 40)
    # 40 of 120 Wh a quarter-hour: 30 and 10 in proportion, 20 each in equal parts.
    rows = json.loads(cw("simulate-key", "CH-12", "equal", *PERIOD, "--json").out)
    assert rows == [
        {
            "meter": IDS["A"],
            "name": "A",
            "total": 0.36,
            "self_now": 0.12,
            "self_then": 0.08,
            "difference": -0.04,
        },
        {
            "meter": IDS["B"],
            "name": "B",
            "total": 0.12,
            "self_now": 0.04,
            "self_then": 0.08,
            "difference": 0.04,
        },
    ]
    table = [line.split() for line in cw("simulate-key", "CH-12", "equal", *PERIOD).lines]
    assert table[1:] == [
        ["A", "0.360", "0.120", "0.080", "-0.040", "33.3", "%", "22.2", "%"],
        ["B", "0.120", "0.040", "0.080", "+0.040", "33.3", "%", "66.7", "%"],
        ["all", "0.480", "0.160", "0.160", "+0.000", "33.3", "%", "33.3", "%"],
    ]
    lacking = cw("simulate-key", "CH-12", "fixed", *PERIOD)
    assert lacking.code == 1
    assert "share of A (electricity 11), B (electricity 12) is missing" in lacking.err


def test_what_cannot_be_replayed_is_wrong_usage(cw: CommandLine) -> None:
    assert cw("apply", cw.write("site.yaml", SITE)).code == 0
    wrong = cw("simulate-key", "CH-12", "evenly", *PERIOD)
    assert wrong.code == 2
    assert "'evenly' is none of pro_rata, priority, fixed, fixed_redistributed, equal" in wrong.err
    turned = ("--start", "2026-07-02", "--end", "2026-07-01")
    assert cw("simulate-key", "CH-12", "equal", *turned).code == 2
    nothing = cw("simulate-key", "CH-12", "equal", *PERIOD)
    assert (nothing.code, nothing.out) == (0, "no consumer has a settled share in this period\n")
