"""`evidence` and `regulators`: what can be shown to an authority."""
