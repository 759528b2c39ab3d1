"""Campaigns: telling every affected person, by the book, with proof of who was told what, when and how."""
