"""The second oracle: a slow, obvious implementation of the pipeline, in exact fractions.

It shares no code with the product and uses no numpy. It exists to be read: each module is one
step from what was delivered to what is answered, one quarter-hour at a time.
"""
