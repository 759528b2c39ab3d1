"""What the authorities are told, by when, and who did it."""
