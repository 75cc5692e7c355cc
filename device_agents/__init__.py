"""The service that measures networks on phones."""
