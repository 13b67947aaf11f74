"""From a document to passages worth remembering, each with an importance that can be explained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from textwrap import dedent, wrap
from typing import NamedTuple

_LONGEST = 1200
"""Characters that a passage has at most, without its heading; some 200 words answer most questions."""

_SHORT_ASIDE = 80
"""Characters below which an aside, such as "New in version 3.2.", stays with what it speaks of."""

_UNDERLINE = re.compile(r"([*=\-~^\"#+.])\1*\s*$")
_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+(\S.*?)\s*#*\s*$")
_SIGNATURE = re.compile(r"[\w.()!]+( \|)?( [\w.]+)?( ?[\[(].*)?")
"""A name or two, perhaps with brackets behind: ``dict.get(key)``, ``pp expression``, ``alias [name]``."""

_FENCE = re.compile(r"\s*(```|~~~)")
_ASIDE = re.compile(
    r"\s*(>>>|note\b|see also\b|changed in version|new in version|deprecated since|warning:|"
    r"-\[ footnotes|\[\d+\]|\*\*cpython implementation|\.\. |> )",
    re.IGNORECASE,
)


class Rank(Enum):
    """Why a passage matters as much as it does: the rule in words, and the importance in [0, 1]."""

    OPENING = ("opens a section: says what the thing is", 0.8)
    BODY = ("explains further", 0.5)
    ASIDE = ("note, example, footnote or version remark", 0.2)

    def __init__(self, rule: str, importance: float) -> None:
        self.rule = rule
        self.importance = importance


class Passage(NamedTuple):
    """A piece of a document.

    Attributes
    ----------
    heading : of the section it stands in.
    body : the text without the heading, not blank.
    rank : what it does there.
    """

    heading: str
    body: str
    rank: Rank

    @property
    def text(self) -> str:
        """What is remembered: the heading goes along, because a passage seldom repeats its subject."""
        return f"{self.heading}\n\n{self.body}"


class _Section(NamedTuple):
    heading: str
    blocks: list[str]
    begins: bool = True


def split(document: str, title: str) -> Iterator[Passage]:
    """Cut a document at its headings and definitions, and long sections at blank lines or line ends.

    Parameters
    ----------
    document : plain text, Markdown or reStructuredText.
    title : heading of what stands before the first heading.
    """
    blocks = [part for block in _blocks(document) for part in _shortened(block)]
    for section in _sections(blocks, title):
        opening = section.begins
        for body in _packed(section.blocks):
            aside = _is_aside(body)
            rank = Rank.ASIDE if aside else Rank.OPENING if opening else Rank.BODY
            opening = opening and aside
            yield Passage(section.heading, body, rank)


def _sections(blocks: list[str], title: str) -> Iterator[_Section]:
    heading = title
    section = _Section(title, [])
    for block, following in pairwise([*blocks, ""]):
        found, rest = _heading(block)
        if found is not None:
            heading = found
            begun = _Section(heading, [rest] if rest else [])
        elif _is_definition(block, following):
            term, _, more = block.partition("\n")
            begun = _Section(f"{heading}: {term}", [block] if more else [])
        elif section.heading != heading and _indent(block) == 0 and not _is_aside(block):
            begun = _Section(heading, [block], begins=False)
        else:
            section.blocks.append(block)
            continue
        if section.blocks:
            yield section
        section = begun
    if section.blocks:
        yield section


def _heading(block: str) -> tuple[str | None, str]:
    """Split a block that begins with a heading from what follows; (None, "") for any other block."""
    first, _, rest = block.partition("\n")
    markdown = _MARKDOWN_HEADING.match(first)
    if markdown:
        return markdown[1], rest.strip("\n")
    second, _, after = rest.partition("\n")
    long_enough = len(second) >= min(3, len(first.strip()))
    if _indent(first) == 0 and long_enough and _UNDERLINE.match(second):
        return first.strip(), after.strip("\n")
    return None, ""


def _is_definition(block: str, following: str) -> bool:
    """Tell whether a block holds nothing but signatures that an indented description follows."""
    return _indent(following) > 0 and all(_SIGNATURE.fullmatch(line) for line in block.splitlines())


def _blocks(document: str) -> Iterator[str]:
    """Cut at blank lines, except inside fenced code."""
    lines: list[str] = []
    fenced = False
    for line in document.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if line.strip() or (fenced and lines):
            lines.append(line.rstrip())
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _shortened(block: str) -> Iterator[str]:
    """Cut a block that is too long at its line ends; a line that is too long at spaces."""
    if len(block) <= _LONGEST:
        yield block
        return
    lines: list[str] = []
    for line in block.splitlines():
        for part in [line] if len(line) <= _LONGEST else wrap(line, _LONGEST, break_long_words=False):
            if lines and sum(map(len, lines)) + len(part) > _LONGEST:
                yield "\n".join(lines)
                lines = []
            lines.append(part)
    yield "\n".join(lines)


def _packed(blocks: list[str]) -> Iterator[str]:
    """Join blocks up to the longest passage; an aside stands alone, with all that is indented below it."""
    passage: list[str] = []
    length, aside_indent = 0, -1
    for block, following in pairwise([*blocks, ""]):
        alone = len(block) >= _SHORT_ASIDE or _indent(following) > _indent(block)
        aside = _is_aside(block) and (alone or not passage)
        over = aside_indent >= 0 and _indent(block) <= aside_indent
        if passage and (
            (aside and aside_indent < 0) or (over and not aside) or length + len(block) > _LONGEST
        ):
            yield _joined(passage)
            passage, length = [], 0
        if not passage or over:
            aside_indent = _indent(block) if aside else -1
        passage.append(block)
        length += len(block)
    if passage:
        yield _joined(passage)


def _joined(blocks: list[str]) -> str:
    return dedent("\n\n".join(blocks))


def _is_aside(block: str) -> bool:
    return _ASIDE.match(block) is not None


def _indent(block: str) -> int:
    return len(block) - len(block.lstrip(" \t"))
