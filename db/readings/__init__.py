"""What the exporter tells about queues, candidates, phones and processes: read from the database, from nowhere else."""

from db.readings.farm import FarmReadings

__all__ = ["FarmReadings"]
