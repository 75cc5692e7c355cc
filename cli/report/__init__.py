"""A search's report: one HTML page that needs nothing else. From what was read (`db.dossier`) to text; no I/O but in
`samples.py`."""
