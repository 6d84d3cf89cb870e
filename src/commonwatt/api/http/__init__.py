"""What HTTP is to every endpoint: bodies in, answers out, problems told."""
