"""Questions about a folder of notes, asked through filters; run it again and only what changed is embedded.

    python langchain_rag.py [FOLDER]

Without a folder it writes one of its own. With OPENAI_API_KEY set and langchain-openai installed a real model answers;
else the prompt is printed that it would be asked.
"""

import os
import sys
import tempfile
from pathlib import Path

from langchain.chat_models import init_chat_model
from langchain_core.documents import Document
from langchain_core.indexing import index
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from axon import MemoryConfig, MemorySystem
from axon_integrations.langchain import AxonRecordManager, AxonRetriever, AxonVectorStore

NOTES = {
    "ops/keys.md": "The deploy key is rotated every month.\n\nWhoever rotates the key tells the channel.",
    "ops/backups.md": "Backups run at two in the night.\n\nA backup is restored once a quarter, as a test.",
    "office/lunch.md": "Lunch is served at noon.\n\nThe key of the canteen hangs by the door.",
}


def paragraphs(folder: Path) -> list[Document]:
    """Every paragraph of every note; its folder is its tag, and what is operations matters most."""
    return [
        Document(text, metadata={"source": str(path), "tags": [path.parent.name], "importance": importance})
        for path in sorted(folder.rglob("*.md"))
        for importance in [0.9 if path.parent.name == "ops" else 0.4]
        for text in path.read_text(encoding="utf-8").split("\n\n")
        if text.strip()
    ]


with tempfile.TemporaryDirectory() as sample:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else sample)
    for name, text in NOTES.items() if str(folder) == sample else ():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    memory = MemorySystem(MemoryConfig.in_memory())  # MemoryConfig.local("notes.db") keeps it
    store, records = AxonVectorStore(memory), AxonRecordManager(memory, "notes")
    for attempt in ("first", "again"):
        counts = index(
            paragraphs(folder), records, store, cleanup="full", source_id_key="source", key_encoder="sha256"
        )
        print(f"{attempt}: {counts['num_added']} added, {counts['num_skipped']} as before")

retriever = AxonRetriever(memory=memory, k=2, tags=["ops"], min_importance=0.8)
prompt = ChatPromptTemplate.from_template("Answer from these notes: {notes}\nQuestion: {question}")
chain = {"notes": retriever, "question": RunnablePassthrough()} | prompt
if os.environ.get("OPENAI_API_KEY"):
    chain = chain | init_chat_model("openai:gpt-4.1-mini") | StrOutputParser()
else:
    chain = chain | (lambda value: value.to_string())
print(chain.invoke("Who is told when a key is rotated?"))
