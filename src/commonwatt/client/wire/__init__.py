"""How the client sends: one request at a time, paced, signed in, tried again."""
