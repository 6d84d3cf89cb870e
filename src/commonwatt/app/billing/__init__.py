"""What is billed: locks, later differences, edits, and the figures of a month."""
