"""The town of the money simulator, under the name by which tests have always called it."""

from payments.simulation.town import *  # noqa: F403
