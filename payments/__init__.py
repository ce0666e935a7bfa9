"""The till: the one room where money moves, and who may make it move."""
