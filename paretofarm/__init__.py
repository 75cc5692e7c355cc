"""The core: search spaces, algorithms, Pareto fronts, lifecycle and measurement statistics. No I/O."""
