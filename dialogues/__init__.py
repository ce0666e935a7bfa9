"""What to ask, say and do next in a talk about a household bill."""
