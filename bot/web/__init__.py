"""The web pages: a chat anybody can read and use, and a desk for the staff."""

from bot.web.pages import create_pages

__all__ = ["create_pages"]
