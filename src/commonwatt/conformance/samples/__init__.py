"""What of a server's buildings the checks are tried on."""
