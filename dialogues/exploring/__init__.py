"""The parts of the exhaustive walk: what can be said and come back, when two states are alike, and what must hold in each."""
