"""``axon demo`` as a user runs it: a process of its own, its output read as text."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import axon
from axon import Filter, MemoryConfig, SyncMemorySystem
from axon.cli import main
from axon.core.policies import PersistentPolicy
from tests.cli.running import demo, section, write_notes

SERVER = Path(__file__).with_name("openai_server.py")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return write_notes(tmp_path / "notes")


def test_the_language_reference_goes_through_all_three_tiers_and_faces(tmp_path: Path) -> None:
    run = demo("--limit", "28", "-k", "2", TMPDIR=str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert str(Path(axon.__file__).parent) in run.stdout.splitlines()[0]
    stored, recalled, compared, reopened = (section(run.stdout, number) for number in (1, 2, 3, 4))
    assert "28 documents" in stored
    for importance, tier in (("0.8", "persistent"), ("0.5", "session"), ("0.2", "ephemeral")):
        assert re.search(rf"{importance}\s+{tier}\s+[1-9]\d*\s*$", stored, re.MULTILINE), stored
    assert re.search(r"0\.\d\d\s+persistent\s+Debugger Commands: condition", recalled)
    assert "words: condition, set, breakpoint" in recalled
    assert "recall = LangChain = LlamaIndex: all agree" in compared
    (best,) = re.findall(r"How do I set .*?(debugger#\d+) +\1 +\1 +yes", compared)
    assert "NO" not in compared + reopened
    assert re.search(r"process \d+ opened the memory and found: ephemeral 0, session [1-9]", reopened)
    assert reopened.count(best) == 2, reopened
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_own_files_are_asked_and_kept(notes: Path, tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    question = ("--ask", "When is the deploy key rotated?", "--tag", "md", "-k", "1")
    run = demo("--input", notes, "--path", path, *question)
    assert run.returncode == 0, run.stderr
    assert "5/5" in run.stderr, "progress is shown, apart from the tables"
    assert "5/5" not in run.stdout
    assert "3 documents" in run.stdout
    for number in (2, 3, 4):
        assert "deploy" in section(run.stdout, number)
        assert "keys.rst" not in section(run.stdout, number), "the best answer lacks the tag"
    assert run.stdout.splitlines()[-1].startswith("The memory stays in")
    with SyncMemorySystem(MemoryConfig.local(path)) as memory:
        entry = memory.get("deploy.md#1")
        assert entry is not None
        assert (entry.tier, entry.importance, entry.tags) == ("persistent", 0.8, ["md", "deploy.md"])
        assert entry.metadata["heading"] == "Deploying"
        assert memory.count(filter=Filter(tags=["deploy.md"])) == 2, "the note was ephemeral"


def test_without_a_question_the_headings_are_asked(notes: Path, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    run = demo("--input", notes, "--limit", "1", "--keep", TMPDIR=str(place))
    assert run.returncode == 0, run.stderr
    assert "Keys   [tags rst and importance >= 0.3]" in section(run.stdout, 2)
    (path,) = place.glob("*/memory.db")
    assert str(path) in run.stdout.replace("\n", "")


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment of a user with a key, served by a process on this machine."""
    server = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("COLUMNS", "140")
    yield
    server.terminate()
    server.wait(10)
    server.stdout.close()


@pytest.mark.usefixtures("openai")
def test_with_a_key_openai_embeds_and_answers(notes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = ["demo", "--input", str(notes), "--ask", "When is the deploy key rotated?", "-k", "1"]
    assert main([*question, "--chat-model", "some-model"]) == 0
    printed = capsys.readouterr().out
    assert "embedded by openai/text-embedding-3-small" in printed
    assert "some-model: read deep/keys.rst#1" in printed
    assert "all agree" in printed
    assert main([*question, "--local"]) == 0
    printed = capsys.readouterr().out
    assert "openai/" not in printed
    assert "read deep" not in printed


@pytest.mark.usefixtures("openai")
def test_a_failing_chat_model_is_named_and_the_key_is_not(
    notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--input", str(notes), "--chat-model", "missing"]) == 1
    printed = capsys.readouterr()
    assert "missing did not answer (NotFoundError)" in printed.err
    assert "sk-secret" not in printed.out + printed.err


def test_bad_input_is_refused_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty, latin, missing = tmp_path / "empty", tmp_path / "latin", tmp_path / "missing"
    empty.mkdir()
    (empty / "blank.md").write_text("\n\n", encoding="utf-8")
    latin.mkdir()
    (latin / "a.txt").write_bytes("caf\xe9".encode("latin-1"))
    for arguments, reason in (
        (["--input", str(missing)], "is not a folder"),
        (["--input", str(empty)], "holds no text"),
        (["--input", str(latin)], "is not UTF-8 text"),
        (["--limit", "1", "--path", str(missing / "memory.db")], "does not exist"),
    ):
        assert main(["demo", "--local", *arguments]) == 1
        assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", ["-k 0", "-k x", "--limit -1", "--min-importance 1.5", "--min-importance nan"]
)
def test_bad_numbers_are_refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["demo", *arguments.split()])
    assert exit.value.code == 2
    assert f"{arguments.split()[1]} is not a" in capsys.readouterr().err


def test_a_configuration_file_says_where_the_tiers_lie(notes: Path, tmp_path: Path) -> None:
    config, path = tmp_path / "memory.json", tmp_path / "memory.db"
    config.write_text(
        '{"session": {}, "persistent": {"adapter_type": "sqlite", "adapter_config": {"path": "${AXON_TEST_DB}"}}}',
        encoding="utf-8",
    )
    run = demo("--config", config, "--input", notes, "--limit", "1", AXON_TEST_DB=str(path))
    assert run.returncode == 0, run.stderr
    assert "both processes ask what outlives them: persistent" in section(run.stdout, 4)
    with SyncMemorySystem(
        MemoryConfig(persistent=PersistentPolicy(adapter_type="sqlite", adapter_config={"path": str(path)}))
    ) as memory:
        assert memory.stats().tiers["persistent"].entries_total == 0, "the demo's namespace was cleared"


def test_a_memory_that_ends_with_its_process_is_not_reopened(notes: Path, tmp_path: Path) -> None:
    config = tmp_path / "memory.toml"
    config.write_text("[session]\n[persistent]\n", encoding="utf-8")
    run = demo("--config", config, "--input", notes, "--keep", "--local")
    assert run.returncode == 0, run.stderr
    assert "nothing to reopen" in section(run.stdout, 4)
    assert re.search(r"stays in the namespace axon-demo-[0-9a-f]{8}\.", run.stdout)


def test_a_bad_configuration_is_refused_with_a_reason(
    notes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AXON_TEST_ABSENT", raising=False)
    config = tmp_path / "memory.toml"
    for text, reason in (
        ('[session]\nadapter_type = "redsi"\n', "did you mean 'redis'?"),
        ('[session]\nadapter_type = "${AXON_TEST_ABSENT}"\n', "AXON_TEST_ABSENT is not set"),
    ):
        config.write_text(text, encoding="utf-8")
        assert main(["demo", "--local", "--input", str(notes), "--config", str(config)]) == 1
        assert reason in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["demo", "--config", str(config), "--path", "memory.db"])
    assert "not allowed with" in capsys.readouterr().err
