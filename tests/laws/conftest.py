"""The real town for every test of a law."""

from tests.safety.real_town import either, make_town, sandbox, town

__all__ = ["either", "make_town", "sandbox", "town"]
