"""How the commands speak: notes and progress on standard error, results on standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.base.settings import Settings, load_settings

out = Console(highlight=False, soft_wrap=True)
notes = Console(stderr=True, highlight=False, soft_wrap=True)

FOLDERS = ("home", "data", "secrets_dir")


def say(text: str) -> None:
    """A note to the person at the keyboard."""
    notes.print(escape(text))


@contextmanager
def show(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar for the block; without a terminal one line per step."""
    if not notes.is_terminal:
        say(f"{title} …")
        yield lambda step, of, words: say(f"{title}: {step}/{of} {words}")
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes, transient=True) as bar:
        task = bar.add_task(title, total=None, words="")
        yield lambda step, of, words: bar.update(task, completed=step, total=of, words=words)


def settings_now() -> Settings:
    """The settings, with the folders as absolute paths; raises Misconfigured."""
    read = load_settings()
    return read.model_copy(update={name: Path(value).resolve() for name in FOLDERS if (value := getattr(read, name)) is not None})
