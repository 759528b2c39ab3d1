"""`campaign`: notices to many people, from the plan to the last letter."""
