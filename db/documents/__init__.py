"""What scripts rely on: JSON and CSV as `--json`, `--csv` and the HTTP API give them."""
