"""Measurements of a whole, running Candour; nothing here is part of the application."""
