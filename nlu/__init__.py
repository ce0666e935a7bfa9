"""From a person's words to what he wants, without ever inventing an amount or an account number."""
