"""An agent that knows each of its users from one session to the next.

Runs without a key on a model that only reads out what it is shown; with OPENAI_API_KEY set and langchain-openai
installed, on a real one.
"""

import os

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from axon import MemoryConfig, MemorySystem
from axon_integrations.langchain import AxonMemoryMiddleware


class Reader(BaseChatModel):
    """Stands in for a model: answers with what is remembered."""

    _llm_type = "reader"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        notes = [line for line in str(messages[0].text).splitlines() if line.startswith("<memory ")]
        answer = f"I remember: {'; '.join(notes)}" if notes else "Nice to meet you."
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])


model = init_chat_model("openai:gpt-4.1-mini") if os.environ.get("OPENAI_API_KEY") else Reader()
memory = MemorySystem(MemoryConfig.in_memory())  # MemoryConfig.local("memory.db") keeps it
agent = create_agent(model, middleware=[AxonMemoryMiddleware(memory, k=2, save=["human"])])


def say(user: str, text: str) -> None:
    result = agent.invoke({"messages": text}, context={"user_id": user})
    print(f"{user}: {text}\n  agent: {result['messages'][-1].text}")


say("ann", "My dog is called Pixel.")
say("bob", "My dog is called Rover.")
say("ann", "What is my dog called?")  # another session: the agent kept no thread
say("bob", "What is my dog called?")
