"""The systems that are measured, and how they are started, asked and timed."""
