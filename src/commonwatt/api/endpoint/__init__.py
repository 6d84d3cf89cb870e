"""The order of checks of every endpoint: token, rate, site, role, then what is asked for."""
