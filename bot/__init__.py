"""Candour's application: everything that knows patients, wordings and cases."""
