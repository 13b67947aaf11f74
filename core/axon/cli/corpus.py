"""What the demo remembers: Python's own language reference, or a folder of the user's files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from axon.cli.passages import Passage, Rank, split
from axon.core.errors import ConfigError, InvalidInputError
from axon.core.models import MemoryInput

SUFFIXES = (".md", ".rst", ".txt")

_KINDS: dict[str, tuple[str, ...]] = {
    "statement": ("compound", "class", "function", "async", "assignment", "augassign"),
    "data-model": (
        "attribute-access", "callable-types", "context-managers", "customization", "numeric-types",
        "sequence-types", "special", "objects",
    ),
    "type": ("types", "bltin", "string-methods", "formatstrings", "truth"),
    "literal": (
        "atom-", "floating", "imaginary", "integers", "numbers", "strings", "identifiers", "id-classes",
    ),
    "execution": ("execmodel", "naming", "dynamic-features", "exceptions"),
    "tool": ("debugger",),
}  # fmt: skip
_OTHER_KIND = "expression"


class Document(NamedTuple):
    """A text to be cut into passages.

    Attributes
    ----------
    name : unique in its corpus; becomes part of the passages' ids and one of their tags.
    kind : a coarser tag.
    text : not blank.
    """

    name: str
    kind: str
    text: str


class Corpus(NamedTuple):
    """Everything the demo stores.

    Attributes
    ----------
    title : what it is, for people.
    documents : how many documents it was made of.
    items : one per distinct passage, ready to be stored; ids are ``document#number``.
    ranks : the rank of each item.
    """

    title: str
    documents: int
    items: list[MemoryInput]
    ranks: list[Rank]


def reference_corpus(limit: int | None = None) -> Corpus:
    """Read the language reference that comes with every Python.

    Parameters
    ----------
    limit : topics at most, >= 1, in alphabetical order; None for all.

    Raises
    ------
    ConfigError
        If this Python was installed without it.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise ConfigError(
            "this Python was installed without pydoc_data; name a folder of your own: axon demo --input DIR"
        ) from error
    documents = [
        Document(name, topic_kind(name, text), text) for name, text in islice(sorted(topics.items()), limit)
    ]
    return make_corpus("the Python language reference (pydoc_data.topics)", documents)


def topic_kind(name: str, text: str) -> str:
    """Sort a topic of the language reference by its name; what its title calls a statement is one."""
    if "statement" in text.partition("\n")[0]:
        return "statement"
    return next((kind for kind, starts in _KINDS.items() if name.startswith(starts)), _OTHER_KIND)


def folder_corpus(folder: Path, limit: int | None = None) -> Corpus:
    """Read the text files below a folder, in order of their paths.

    Parameters
    ----------
    folder : looked through at every depth, except below names that begin with a dot.
    limit : files at most, >= 1; None for all.

    Raises
    ------
    ConfigError
        If there is no such folder or it cannot be read.
    InvalidInputError
        If it holds no text, or a file is no UTF-8.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    paths = sorted(
        path for path in folder.rglob("*") if _is_wanted(path.relative_to(folder)) and path.is_file()
    )
    documents = [_read(path, folder) for path in islice(paths, limit)]
    corpus = make_corpus(str(folder), [document for document in documents if document.text.strip()])
    if not corpus.items:
        raise InvalidInputError(f"{folder} holds no text: put some {', '.join(SUFFIXES)} files into it")
    return corpus


def _is_wanted(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _read(path: Path, folder: Path) -> Document:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 text (byte {error.start}); convert it first") from error
    return Document(path.relative_to(folder).as_posix(), path.suffix.lower()[1:], text)


def make_corpus(title: str, documents: Iterable[Document]) -> Corpus:
    """Cut documents into passages.

    A passage that several documents share is kept once, under the shortest of them and with the tags of all.
    """
    kept: dict[str, tuple[MemoryInput, Rank]] = {}
    by_length = sorted(documents, key=lambda document: len(document.text))
    for document in by_length:
        for number, passage in enumerate(split(document.text, document.name), start=1):
            known = kept.get(passage.text)
            if known is None:
                kept[passage.text] = (_item(document, number, passage), passage.rank)
            else:
                known[0].tags = [*dict.fromkeys([*known[0].tags, document.kind, document.name])]
    return Corpus(
        title, len(by_length), [item for item, _ in kept.values()], [rank for _, rank in kept.values()]
    )


def _item(document: Document, number: int, passage: Passage) -> MemoryInput:
    return MemoryInput(
        text=passage.text,
        id=f"{document.name}#{number}",
        importance=passage.rank.importance,
        tags=[document.kind, document.name],
        metadata={"document": document.name, "heading": passage.heading, "rule": passage.rank.name.lower()},
    )


def headings(corpus: Corpus, most: int) -> list[tuple[str, str]]:
    """Pick headings spread over the corpus to ask about, each with the kind of its document.

    Parameters
    ----------
    most : >= 1.
    """
    openings = [item for item, rank in zip(corpus.items, corpus.ranks, strict=True) if rank is Rank.OPENING]
    chosen = openings or corpus.items
    step = max(1, len(chosen) // most)
    return [(item.text.partition("\n")[0], next(iter(item.tags))) for item in chosen[::step][:most]]
