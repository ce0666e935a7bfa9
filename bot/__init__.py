"""The edge: channels, pages, the command line and the one place where everything is wired together."""
