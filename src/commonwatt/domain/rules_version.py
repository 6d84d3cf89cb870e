"""The version of the rules by which readings become quarter-hours.

Whatever can change a computed Wh, litre or quality of readings that are there already (validation,
interpolation, estimation, the balance, the allocation) makes a new version: raise the number by
one. A store that is opened with a greater version than it was settled by has all its days settled
anew; what that changes of locked days is filed as differences of the cause ``rules``
(`rule_change`).

2: what is implausible for a meter as a whole is asked and not assumed; a stamp is judged against
the time at which it is judged. 1: the rules until then.
"""

RULES_VERSION = 2
