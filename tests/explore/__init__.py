"""The exhaustive walk: the house's own flows keep every promise, and a fault put into flows or engine is found."""
