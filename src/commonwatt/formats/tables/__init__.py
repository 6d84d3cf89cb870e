"""Tables of series as CSV, JSON lines, Parquet and Arrow."""
