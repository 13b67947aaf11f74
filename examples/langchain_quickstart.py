"""Axon under LangChain, with no server, no key and no download; `embedding=` takes a model of meaning."""

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from axon import MemoryConfig, MemorySystem
from axon_integrations.langchain import AxonVectorStore

store = AxonVectorStore(MemorySystem(MemoryConfig.in_memory()))  # MemoryConfig.local("memory.db") keeps it
notes = {
    "The deploy key is rotated every month.": {"tags": ["ops"], "importance": 0.9},
    "Lunch is served in the canteen at noon.": {"tags": ["office"], "importance": 0.2},
    "A deploy runs from the release branch.": {"tags": ["ops"], "importance": 0.5},
}
store.add_texts(notes, notes.values())

retriever = store.as_retriever(search_kwargs={"filter": {"tags": "ops", "importance": {"$gte": 0.8}}})
prompt = ChatPromptTemplate.from_template("Answer from these notes: {notes}\nQuestion: {question}")
chain = {"notes": retriever, "question": RunnablePassthrough()} | prompt  # ... | your chat model
print(chain.invoke("When is the deploy key rotated?").to_string())
for document, score in store.similarity_search_with_score("deploy key", k=2, include=["tier"]):
    print(f"{score:.2f}  {document.metadata['tier']:<10}  {document.page_content}")
