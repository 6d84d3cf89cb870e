"""What was measured, read: series of meters and of the balance, registers, raw readings, status."""
