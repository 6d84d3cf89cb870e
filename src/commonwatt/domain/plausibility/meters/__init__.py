"""What is implausible of a meter as a whole: its unit, its kind of values, its power."""
