"""While a campaign is sent: how it goes hour by hour, what threatens it, what was done about it."""
