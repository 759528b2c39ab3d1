"""Twilio 2010-04-01: Messages, what belongs to them, and the webhooks about them."""
