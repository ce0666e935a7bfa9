"""The telephone: how what was said becomes words for the desk, and how an answer becomes speech."""
