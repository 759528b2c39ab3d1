"""Measurements of campaigns: an installation that sends them, how fast, and under fire."""
