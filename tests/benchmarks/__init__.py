"""That the benchmarks run; how fast anything is, no test asks."""
