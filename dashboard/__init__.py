"""The HTTP API and the web page on top of the database."""
