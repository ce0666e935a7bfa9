"""Tests of understanding: what people say, and what it must and must never be taken for."""
