"""What every other package stands on; imports nothing else of `bot`."""
