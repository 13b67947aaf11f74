"""Embeddings one can check by hand: the text "30" is the unit vector at 30 degrees."""

from __future__ import annotations

from math import cos, radians, sin

from langchain_core.embeddings import Embeddings


def at(angle: float) -> list[float]:
    return [cos(radians(angle)), sin(radians(angle))]


def angle_of(text: str) -> float:
    """The number a text begins with; 0 for others, since Axon also asks models for a word of its own."""
    try:
        return float(text.split()[0])
    except ValueError:
        return 0.0


class PlaneEmbeddings(Embeddings):
    """Synchronous only; remembers what it was asked. The number may be followed by words."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(list(texts))
        return [at(angle_of(text)) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class AsyncPlaneEmbeddings(PlaneEmbeddings):
    """Has an asynchronous form, and no other."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise AssertionError("the asynchronous form was there")

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        return PlaneEmbeddings.embed_documents(self, texts)

    async def aembed_query(self, text: str) -> list[float]:
        return PlaneEmbeddings.embed_documents(self, [text])[0]
