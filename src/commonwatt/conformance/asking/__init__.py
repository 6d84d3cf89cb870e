"""How the kit asks a server, and what was said on both sides."""
