"""Talks written down beforehand, played against the application, and judged."""
