"""The reference network: what phones time between blocks. Made by `python -m workers.reference_network`."""
