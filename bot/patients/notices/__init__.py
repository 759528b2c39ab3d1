"""Notices that were sent before Candour was there to send them: brought in from the clinic's own list."""
