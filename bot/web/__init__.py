"""The web process: doors for patients (and later providers and staff) in front of the inbox."""
