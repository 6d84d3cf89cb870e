"""Bodies and files of readings to columns; what cannot be a reading is told by its row."""
