"""The wire language of the Climkit Developer API v1: requests in, JSON out.

Its names (conso_total, from_ext, t_s, …) and conventions (kWh with three decimals, stamps in the
site's local time, 15T stamping the end) exist only here and at the edges that use this package.
"""
