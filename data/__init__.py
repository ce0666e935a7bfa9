"""What we know: the words of the trade as types, the store, the catalogue and the demo town."""
