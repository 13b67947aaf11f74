"""A progress bar on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from axon.core.errors import MissingDependencyError
from axon.core.operations.writing import Progress


@contextmanager
def progress_report(wanted: bool | Progress, label: str) -> Iterator[Progress | None]:
    """Give the function that is told about progress.

    Parameters
    ----------
    wanted : False for none, True for a bar on stderr, or a function of one's own.
    label : what the bar is called.

    Raises
    ------
    MissingDependencyError
        If a bar is wanted and ``rich`` is not installed.
    """
    if wanted is False:
        yield None
    elif wanted is True:
        with _bar(label) as report:
            yield report
    else:
        yield wanted


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError as error:
        raise MissingDependencyError("rich", "cli") from error
    columns = TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
