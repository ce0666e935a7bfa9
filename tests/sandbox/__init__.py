"""What the sandbox town itself promises: faults, callbacks, fees, statements, its contract and its pay page."""
