"""The service that builds, compiles and trains networks."""
