"""The engine of talks, on small flows of its own: loading, stepping, repairing, committing, and finding mistakes in files."""
