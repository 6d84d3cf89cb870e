"""Why a quarter-hour has the value that it has, told from what computed it: no second truth."""
