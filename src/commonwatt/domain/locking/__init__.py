"""What a lock keeps: the hashed content, and what other rules would change of it."""
