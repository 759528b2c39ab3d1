"""Proof of what a campaign did: out of the sealed log into files that a stranger can check."""
