"""Where events of cases are posted."""

from bot.web.console.pages.webhooks.endpoints import ENTRY as ENTRY
from bot.web.console.pages.webhooks.endpoints import router as router
