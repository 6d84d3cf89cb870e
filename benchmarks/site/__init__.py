"""The buildings that all of them are filled with."""
