"""Where everything that must survive a power cut is written, in one transaction at a time."""
