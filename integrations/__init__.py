"""The outside world behind small ports: those who send bills and those who collect money."""
