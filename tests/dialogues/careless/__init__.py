"""Careless, slow, angry and confused people in a whole house that stands in memory, and what must hold whatever they do."""
