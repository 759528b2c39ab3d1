"""Candour's tests; the folders mirror `bot/`."""
