"""What is implausible of a step between two readings: its power, a gap, a catch-up."""
