"""Promises of the program, each tested as a whole."""
