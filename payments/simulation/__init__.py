"""The money simulator: the till as it is, played in a town of its own where networks fail, processes die and time is ours."""
