"""The versions of the tables, oldest first; `HEAD` is the one this program works with."""

HEAD = "r0008"
