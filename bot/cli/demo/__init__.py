"""A populated desk for looking at: a day of the incident with invented people, made through the real inbox."""
