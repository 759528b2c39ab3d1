"""SendGrid v3: Mail Send, suppressions, and the webhooks: events and Inbound Parse."""
