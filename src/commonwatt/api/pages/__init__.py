"""Pages for people: the start page and the interactive documentation."""
