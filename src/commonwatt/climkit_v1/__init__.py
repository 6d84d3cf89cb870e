"""The wire language of the Climkit Developer API v1: requests in, JSON out.

Its names for what is asked (t_s, t_e, sampling_frequency), for columns (storage_…_total, and
total_, self_, ext_ with a meter's id) and its conventions (kWh with three decimals, stamps in the
site's local time, 15T stamping the end) exist only here and at the edges that use this package. The
terms of the balance (conso_total, from_ext, …) and prim_ad are words of the whole project.
"""
