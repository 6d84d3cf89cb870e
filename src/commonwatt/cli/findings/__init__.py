"""Commands on what may be wrong: findings, explain, worklist."""
