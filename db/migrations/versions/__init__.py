"""One module per schema version, with the SQL it runs beside it."""
