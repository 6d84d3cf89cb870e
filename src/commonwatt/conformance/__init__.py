"""Black-box checks of any server of the Climkit Developer API v1, a check per published clause.

The kit reads and never writes. What the data at hand cannot show is *not checked*, with the reason,
and never *held*. It has its own eyes: it imports nothing of the server, so a fault that server and
kit would share cannot hide.
"""
