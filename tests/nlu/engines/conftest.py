"""The real town for turns in which another engine has a say."""

from tests.safety.real_town import make_town, sandbox, town

__all__ = ["make_town", "sandbox", "town"]
