"""Sending: notices are taken up, handed to a provider, and what became of them is written down."""
