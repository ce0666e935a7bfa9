"""Other ways to guess an intent, each a separate program behind the same small port."""
