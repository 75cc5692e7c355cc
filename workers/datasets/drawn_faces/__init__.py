"""Procedurally drawn faces with exact labels: synthetic training data where the real download is not at hand."""
