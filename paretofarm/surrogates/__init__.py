"""Models of metrics over architectures: what a search algorithm believes about candidates that nobody has tried."""
