"""How the kit judges an answer: rows, values, periods, verdicts."""
