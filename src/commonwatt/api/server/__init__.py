"""The server below the application: the protocol, its connections, slow clients."""
