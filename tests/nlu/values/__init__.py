"""Values said in many ways: a table of a language each, and what must hold over whole ranges."""
