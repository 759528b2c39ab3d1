"""The channels on which patients are reached, and what each of them can carry."""
