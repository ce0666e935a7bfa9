"""The inside of the sandbox: its own books on its own database, told by nobody but the HTTP server around it."""
