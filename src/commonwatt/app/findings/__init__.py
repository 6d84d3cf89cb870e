"""What may be wrong: findings, their resolution, explanations, and the worklist."""
