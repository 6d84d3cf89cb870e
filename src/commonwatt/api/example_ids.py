"""The ids that the documentation's examples name: those of the demo's building.

So what /docs offers to try runs as it stands on `commonwatt demo`.
"""

SITE = "65920080c0a1e7d4b8f30000"
METER = "65920080c0a1e7d4b8f30011"
SENSOR = "65920080c0a1e7d4b8f30401"
FINDING = "d0555ae54556"
