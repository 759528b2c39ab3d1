"""Before a campaign is sent: long work done by the worker, what each reader gets, who holds which version."""
