"""One set of entries, and what different filters let through."""

from axon import Filter, SyncMemorySystem

ENTRIES = [
    {"text": "Plan for spring", "tags": ["work", "plan"], "importance": 0.9, "metadata": {"year": 2024}},
    {"text": "Plan for summer", "tags": ["work", "plan"], "importance": 0.6, "metadata": {"year": 2025}},
    {"text": "Shopping list", "tags": ["home"], "importance": 0.2, "metadata": {"items": ["tea", "bread"]}},
    {"text": "Plan of the garden", "tags": ["home", "plan"], "importance": 0.8, "metadata": {"draft": True}},
]
FILTERS = {
    "all of these tags": Filter(tags=["work", "plan"]),
    "any of these tags": Filter(any_tags=["home", "garden"]),
    "important work": Filter(tags=["work"], min_importance=0.7),
    "not a draft": ~Filter(metadata={"draft": True}),
    "a list holds it": {"items": {"$contains": "tea"}},
    "either of two": {"$or": [{"year": {"$gte": 2025}}, {"draft": {"$exists": True}}]},
    "in a tier": {"tier": "persistent"},
}

with SyncMemorySystem() as memory:
    memory.bulk_store(ENTRIES)
    for name, condition in FILTERS.items():
        found = sorted(result.text for result in memory.recall("plan", filter=condition))
        print(f"{name:<18} {', '.join(found)}")
