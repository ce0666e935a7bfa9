"""What every adapter of a port must hold, one suite a port."""
