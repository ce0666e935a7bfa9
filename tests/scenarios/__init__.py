"""Acceptance scripts: whole talks as the people of the town would have them."""
