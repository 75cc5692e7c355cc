"""The service that builds, compiles and trains networks."""

import os

# Since 1.29 onnxruntime sends usage data to Microsoft unless this is set before its first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
