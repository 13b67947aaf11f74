"""Policies and configuration: every field is checked, every unknown one is refused with the nearest known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from axon import MemoryConfig, MemorySystem
from axon.core.adapter_options import OPTIONS, AdapterOptions, read_options
from axon.core.clock import SystemClock
from axon.core.errors import ConfigError
from axon.core.models import Tier
from axon.core.policies import (
    EphemeralPolicy,
    PersistentPolicy,
    Policy,
    RankingPolicy,
    RoutingPolicy,
    SessionPolicy,
)
from axon.core.registry import build_adapter, register_adapter

NAN, INF = float("nan"), float("inf")
POLICIES: list[type[Policy]] = [
    EphemeralPolicy,
    SessionPolicy,
    PersistentPolicy,
    RoutingPolicy,
    RankingPolicy,
]

WRONG: list[tuple[type[Policy], str, list[Any]]] = [
    (SessionPolicy, "adapter_type", [3, None]),
    (SessionPolicy, "adapter_config", [3, "x", {"unknown": 1}]),
    (SessionPolicy, "ttl_seconds", [0, -1, NAN, INF, "soon"]),
    (SessionPolicy, "max_entries", [0, -1, 1.5, "many"]),
    (SessionPolicy, "eviction", ["random", "", None]),
    (SessionPolicy, "overflow", ["spill", None]),
    (SessionPolicy, "compaction_threshold", [0, -5, "x"]),
    (SessionPolicy, "compaction_batch_size", [1, 0, None]),
    (SessionPolicy, "promote_after", [0, -1, "x"]),
    (SessionPolicy, "demote_after_seconds", [0, -1, NAN, INF]),
    (RoutingPolicy, "ephemeral_below", [-0.1, 1.1, NAN, None, 0.8]),
    (RoutingPolicy, "session_below", [-0.1, 1.1, NAN, None, 0.2]),
    (RoutingPolicy, "default_importance", [-0.1, 1.1, NAN, None]),
    (RankingPolicy, "mode", ["fuzzy", ""]),
    (RankingPolicy, "text_weight", [-0.1, 1.1, NAN]),
    (RankingPolicy, "recency_weight", [-1, NAN, INF, None]),
    (RankingPolicy, "importance_weight", [-1, NAN, INF, None]),
    (RankingPolicy, "recency_half_life_seconds", [0, -1, NAN, INF, None]),
]

MISSPELT: list[tuple[Callable[..., object], str, str]] = [
    (EphemeralPolicy, "ttl_second", "ttl_seconds"),
    (SessionPolicy, "max_entry", "max_entries"),
    (PersistentPolicy, "adapter", "adapter_type"),
    (RoutingPolicy, "ephemeral_bellow", "ephemeral_below"),
    (RankingPolicy, "recency_wait", "recency_weight"),
    (MemoryConfig, "persistant", "persistent"),
]


@pytest.mark.parametrize(
    ("policy", "field", "value"),
    [(policy, field, value) for policy, field, values in WRONG for value in values],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_a_wrong_value_is_refused(policy: type[Policy], field: str, value: Any) -> None:
    with pytest.raises(ConfigError):
        policy(**{field: value})


@pytest.mark.parametrize(("name", "near"), [("sqlit", "sqlite"), ("postgres", "known: "), ("", "known: ")])
def test_an_unknown_adapter_is_refused_when_the_memory_is_made(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=near):
        MemorySystem(MemoryConfig(session=SessionPolicy(adapter_type=name)))
    with pytest.raises(ConfigError, match=near):
        SessionPolicy(adapter_type=name, adapter_config={"path": "x"})


def test_the_table_of_wrong_values_holds_every_field() -> None:
    named = {(policy, field) for policy, field, _ in WRONG}
    for policy in (SessionPolicy, RoutingPolicy, RankingPolicy):
        assert {field for each, field in named if each is policy} == set(policy.model_fields)
    assert (
        set(SessionPolicy.model_fields)
        == set(EphemeralPolicy.model_fields)
        == set(PersistentPolicy.model_fields)
    )


@pytest.mark.parametrize(
    ("policy", "key", "near"), MISSPELT, ids=lambda value: getattr(value, "__name__", value)
)
def test_an_unknown_key_is_refused_with_the_nearest(
    policy: Callable[..., object], key: str, near: str
) -> None:
    with pytest.raises(ConfigError, match=f"'{key}'.*did you mean '{near}'"):
        policy(**{key: 1})


def test_a_key_like_no_other_is_refused_with_all_known() -> None:
    with pytest.raises(ConfigError, match=r"known: .*ttl_seconds"):
        SessionPolicy(zzz=1)  # type: ignore[call-arg]  # the mistake that is tested


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_policies_are_frozen(policy: type[Policy]) -> None:
    made = policy()
    field = next(iter(policy.model_fields))
    with pytest.raises(Exception, match="frozen"):
        setattr(made, field, getattr(made, field))


def test_adapter_config_is_read_only_and_owned() -> None:
    given: dict[str, Any] = {"text_index": False}
    policy = SessionPolicy(adapter_config=given)
    given["text_index"] = True
    assert policy.adapter_config["text_index"] is False
    with pytest.raises(TypeError):
        policy.adapter_config["text_index"] = True  # type: ignore[index]  # the mistake that is tested


def test_the_defaults_lose_nothing() -> None:
    for policy in (EphemeralPolicy(), SessionPolicy(), PersistentPolicy()):
        limits = policy.ttl_seconds, policy.max_entries, policy.compaction_threshold, policy.promote_after
        assert limits == (None, None, None, None)
        assert policy.demote_after_seconds is None
        assert policy.adapter_type == "memory"
    ranking = RankingPolicy()
    assert (ranking.recency_weight, ranking.importance_weight) == (0.0, 0.0)


def test_each_policy_knows_its_tier() -> None:
    assert [EphemeralPolicy.tier, SessionPolicy.tier, PersistentPolicy.tier] == list(Tier)


@pytest.mark.parametrize("adapter_type", ["pinecone", "qdrant", "chroma"])
def test_an_odd_pairing_warns(adapter_type: str) -> None:
    with pytest.warns(UserWarning, match=adapter_type):
        EphemeralPolicy(adapter_type=adapter_type)


@pytest.mark.parametrize("adapter_type", sorted(OPTIONS))
def test_an_unknown_option_is_refused_with_the_nearest(adapter_type: str) -> None:
    for key in OPTIONS[adapter_type].model_fields:
        with pytest.raises(ConfigError, match=f"did you mean '{key}'"):
            read_options(adapter_type, {key + "_": 1})
    with pytest.raises(ConfigError, match="known: "):
        read_options(adapter_type, {"zzzzzz": 1})


@pytest.mark.parametrize(
    ("adapter_type", "options"),
    [
        ("memory", {"text_index": "perhaps"}),
        ("sqlite", {}),
        ("sqlite", {"path": 3}),
        ("sqlite", {"path": "a.db", "collection": "a-b"}),
        ("sqlite", {"path": "a.db", "collection": ""}),
        ("sqlite", {"path": "a.db", "synchronous": "off"}),
        ("sqlite", {"path": "a.db", "busy_timeout": 0}),
        ("redis", {"max_connections": 0}),
        ("redis", {"socket_timeout": 0}),
        ("redis", {"socket_connect_timeout": -1}),
        ("qdrant", {"timeout": 0}),
        ("qdrant", {"grpc_port": 70_000}),
        ("chroma", {"port": 0}),
        ("pinecone", {"index_name": 3}),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused(adapter_type: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=adapter_type):
        read_options(adapter_type, options)
    if options:
        with pytest.raises(ConfigError):
            SessionPolicy(adapter_type=adapter_type, adapter_config=options)


def test_secrets_are_in_no_message_and_no_repr() -> None:
    secret = "sk-very-secret"
    config = {"api_key": secret, "index_name": "i"}
    policy = PersistentPolicy(adapter_type="pinecone", adapter_config=config)
    shown = [repr(policy), str(policy), repr(MemoryConfig(persistent=policy))]
    shown += [repr(read_options("pinecone", config)), str(read_options("pinecone", config).model_dump())]
    with pytest.raises(ConfigError) as refused:
        PersistentPolicy(adapter_type="qdrant", adapter_config={"api_key": [secret]})
    assert not any(secret in text for text in [*shown, str(refused.value), repr(refused.value)])


@pytest.mark.parametrize(
    "tiers",
    [
        {"ephemeral": EphemeralPolicy()},
        {"session": SessionPolicy()},
        {"persistent": PersistentPolicy()},
        {"ephemeral": EphemeralPolicy(), "persistent": PersistentPolicy()},
    ],
    ids=lambda tiers: "+".join(tiers),
)
def test_any_subset_of_tiers_is_valid(tiers: dict[str, Any]) -> None:
    assert [policy.tier for policy in MemoryConfig(**tiers).tiers] == [Tier(name) for name in tiers]


def test_no_tier_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        MemoryConfig()


@pytest.mark.parametrize("value", [SessionPolicy(), 3, "memory"], ids=repr)
def test_a_policy_of_another_tier_is_refused(value: Any) -> None:
    with pytest.raises(ConfigError, match="ephemeral"):
        MemoryConfig(ephemeral=value)


def test_the_ready_made_forms() -> None:
    assert [policy.adapter_type for policy in MemoryConfig.in_memory().tiers] == ["memory"] * 3
    local = MemoryConfig.local("some.db")
    assert [policy.adapter_type for policy in local.tiers] == ["memory", "sqlite", "sqlite"]
    collections = [policy.adapter_config["collection"] for policy in local.tiers[1:]]
    assert len(set(collections)) == 2, "two tiers in one file may share no rows"


def test_registering_twice_under_one_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="taken"):
        register_adapter("memory", "elsewhere:Adapter", AdapterOptions)
    with pytest.raises(ConfigError, match="module:Class"):
        register_adapter("mine", "elsewhere.Adapter", AdapterOptions)


def test_an_adapter_is_built_from_its_policy() -> None:
    adapter = build_adapter(SessionPolicy(adapter_config={"text_index": False}), SystemClock())
    assert adapter.capabilities.text_search is False
    assert build_adapter(SessionPolicy(), SystemClock()).capabilities.text_search is True
