"""B: a metering API as a good engineer writes it in a day. Not to be changed: it is a yardstick."""
