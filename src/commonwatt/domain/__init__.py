"""The metering domain: pure functions over integers and numpy columns, without I/O or clock."""
