"""Other programs and their tokens."""

from bot.web.console.pages.programs.tokens import ENTRY as ENTRY
from bot.web.console.pages.programs.tokens import router as router
