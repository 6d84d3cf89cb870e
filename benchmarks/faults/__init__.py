"""What validation and estimation find and spoil of faults put into readings."""
