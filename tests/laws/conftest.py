"""The real town for every law."""

from tests.safety.real_town import make_town, sandbox, town

__all__ = ["make_town", "sandbox", "town"]
