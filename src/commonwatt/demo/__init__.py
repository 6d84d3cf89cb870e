"""The demo: a seeded building, and a simulated gateway that keeps sending its readings."""
