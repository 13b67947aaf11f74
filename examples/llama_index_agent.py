"""An agent that knows each of its users from one session to the next, and notes what it is told to.

Runs without a key on a model that only reads out what it is shown; with OPENAI_API_KEY set and
llama-index-llms-openai installed, on a real one.
"""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM

from axon import MemoryConfig, MemorySystem
from axon_integrations.llama_index import AxonMemory, AxonMemoryToolSpec


def read_out(messages, **kwargs):
    """Stand in for a model: note what is to be noted, else answer with what is remembered."""
    last, notes = str(messages[-1].content), str(messages[0].content).splitlines()
    if messages[-1].role == "user" and last.startswith("Note: "):
        call = ToolCallBlock(tool_name="remember", tool_kwargs={"text": last.removeprefix("Note: ")})
        return ChatMessage(role="assistant", blocks=[call])
    known = [line for line in notes if line.startswith("<memory ")]
    return ChatMessage(role="assistant", content="; ".join(known) or "Good to know.")


if os.environ.get("OPENAI_API_KEY"):
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4.1-mini")
else:
    model = MockFunctionCallingLLM(response_generator=read_out, is_chat_model=True)

memory = MemorySystem(MemoryConfig.in_memory())  # MemoryConfig.local("memory.db") keeps it


async def session(user: str, *texts: str) -> None:
    mine = {"namespace": f"user/{user}"}
    history = AxonMemory(memory, **mine, k=2, across_sessions=True)
    tools = AxonMemoryToolSpec(memory, **mine, session_id=history.session_id).to_tool_list()
    agent = FunctionAgent(llm=model, tools=tools, streaming=False)
    for text in texts:
        print(f"{user}: {text}\n  agent: {await agent.run(user_msg=text, memory=history)}")
    await history.aflush()  # what was said is remembered from here on


async def main() -> None:
    await session("ann", "My dog is called Pixel.", "Note: Ann's flight leaves on Friday.")
    await session("bob", "My dog is called Rover.")
    await session("ann", "What is my dog called?", "When does the flight leave?")
    await session("bob", "What is my dog called?")


asyncio.run(main())
