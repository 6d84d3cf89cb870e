"""What is possible and yet hardly true: rules that make findings and change nothing.

A rule looks at consecutive accepted readings, or at the quarter-hours of one UTC day, and at
nothing else, so that settling a part of the history finds what settling all of it would.
"""
