"""The engines beside ours: what they promise, and what happens when they do not keep it."""
