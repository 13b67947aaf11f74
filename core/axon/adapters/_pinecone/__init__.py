"""Parts of the Pinecone adapter."""
