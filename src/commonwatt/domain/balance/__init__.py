"""The balance of a group of meters per quarter-hour, with its rule meters and shares."""
