"""A LangGraph agent that remembers its users, with no server, no key and no download."""

from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from axon import MemoryConfig, MemorySystem
from axon_integrations.langgraph import AxonStore


class State(TypedDict):
    user: str
    message: str
    answer: str


def answer(state: State, runtime: Runtime) -> dict:
    known = runtime.store.search(("users", state["user"]), query=state["message"], limit=1)
    return {"answer": known[0].value["text"] if known else "I do not know yet."}


def remember(state: State, runtime: Runtime) -> dict:
    if not state["message"].endswith("?"):
        runtime.store.put(("users", state["user"]), state["message"], {"text": state["message"]})
    return {}


# MemoryConfig.local("memory.db") keeps the items; embed= takes a model of meaning in place of the lexical one.
memory = MemorySystem(MemoryConfig.in_memory())
store = AxonStore(memory, index={"fields": ["text"]}, ttl={"default_ttl": 60 * 24 * 30})

builder = StateGraph(State)
builder.add_node("answer", answer)
builder.add_node("remember", remember)
builder.add_edge(START, "answer")
builder.add_edge("answer", "remember")
builder.add_edge("remember", END)
graph = builder.compile(store=store)

for user, message in [
    ("ada", "The deploy key is rotated on Mondays."),
    ("ada", "Lunch is at noon."),
    ("bob", "The deploy key is in the safe."),
    ("ada", "When is the deploy key rotated?"),
    ("bob", "Where is the deploy key?"),
    ("eve", "Where is the deploy key?"),
]:
    result = graph.invoke({"user": user, "message": message, "answer": ""})
    if message.endswith("?"):
        print(f"{user}: {message} -> {result['answer']}")
print(store.list_namespaces(prefix=("users",)))
