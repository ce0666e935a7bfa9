"""Where talks are played: a whole town with its real desk, till and sandbox, for acceptance scripts and conversation tests."""

from bot.playground.world import GIVEN_SINCE, START, Playground, playground

__all__ = ["GIVEN_SINCE", "START", "Playground", "playground"]
