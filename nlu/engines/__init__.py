"""Engines beside ours: what they think of a sentence is asked between two tries of a turn, and is only ever an opinion."""
