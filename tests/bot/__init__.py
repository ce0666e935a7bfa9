"""The edge of the house: bells, carrier, settings, logs and the command line."""
