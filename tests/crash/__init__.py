"""A payment goes on although the program is killed in the middle of it, at any moment."""
