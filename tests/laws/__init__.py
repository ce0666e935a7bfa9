"""One file a law of the architecture: what must hold of the real application, and proof that a breach would be seen."""
