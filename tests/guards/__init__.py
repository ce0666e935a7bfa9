"""What must hold of the checkout itself: its names, layers, captions, commands, papers and what it must not contain."""
