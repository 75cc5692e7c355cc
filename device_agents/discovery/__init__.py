"""Which phones are attached to this machine now, over USB and through an adb server."""
