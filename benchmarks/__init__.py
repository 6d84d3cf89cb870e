"""commonwatt beside its yardsticks, in one run on one machine: `python -m benchmarks`.

B is what a good engineer writes in a day (`yardstick_b/`), F is a static answer of the same bytes
(`static_f.py`). Absolute times do not travel between machines; the ratios of one run do.
See docs/benchmarks.md.
"""
