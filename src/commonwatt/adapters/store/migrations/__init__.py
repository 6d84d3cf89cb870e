"""The steps from each stored form of the tables to the next."""
