"""Promises of the conversation test runner itself."""
