"""The nine endpoints of the Climkit Developer API v1."""
