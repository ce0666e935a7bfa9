"""Whole payments under faults, crashes and several hands at once, with counterparties that play by the book."""
