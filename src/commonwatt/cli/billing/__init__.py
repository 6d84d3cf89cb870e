"""Commands on what is billed: lock, differences, month, simulate-key."""
