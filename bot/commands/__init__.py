"""Groups of the `bangjiao` command that grew large enough for a file of their own."""
