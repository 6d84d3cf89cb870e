"""What is metered: sites and meters, readings, quarter-hours, their energy and quality."""
