"""The cache: found again when whole, rebuilt when damaged, not trusted when somebody else's."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from symbackprop.execute import cache, load
from symbackprop.execute.face import Face, InputFace, TargetFace

KEY = "ab" * 32
TEXT = "ANSWER = 42\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "symbackprop"


@pytest.fixture
def face() -> Face:
    return Face(
        network="net",
        kind="numpy",
        module="net_numpy.py",
        dtype="float64",
        batch=64,
        inputs=(InputFace("x", (4,)),),
        target=TargetFace("rows", (3,), sums_to=1.0),
        output=(3,),
        parameters=(),
        loss="softmax_cross_entropy",
        reduction="mean",
        penalised=False,
        plan="none",
    )


def test_the_folder_is_private(own_cache: Path) -> None:
    assert cache.folder() == own_cache
    assert stat.S_IMODE(own_cache.stat().st_mode) == 0o700


def test_what_is_stored_is_found(own_cache: Path) -> None:
    entry = cache.store(KEY, {"a.py": TEXT})
    assert entry == own_cache / KEY
    assert cache.find(KEY) == (entry, {"a.py": TEXT})
    assert cache.find("cd" * 32) is None
    assert [p.name for p in own_cache.iterdir()] == [KEY]


def test_the_face_survives_its_text(face: Face) -> None:
    assert Face.from_json(face.to_json()) == face
    with pytest.raises(ValueError, match="face"):
        Face.from_json("{}")


@pytest.mark.parametrize("damage", ["text", "manifest", "missing", "listing", "key", "shorter"])
def test_a_damaged_entry_is_ignored_and_rebuilt(own_cache: Path, face: Face, damage: str) -> None:
    load.load(KEY, face, {"net_numpy.py": TEXT})
    entry = own_cache / KEY
    if damage == "text":
        (entry / "net_numpy.py").write_text("ANSWER = 43\n")
    elif damage == "manifest":
        (entry / cache.MANIFEST).write_text("{")
    elif damage == "missing":
        (entry / "net_numpy.py").unlink()
    elif damage == "listing":
        (entry / cache.MANIFEST).write_text(json.dumps({"key": KEY, "files": {"../x": "0"}}))
    elif damage == "key":
        (own_cache / ("cd" * 32)).mkdir()
        for file in (cache.MANIFEST, load.FACE, "net_numpy.py"):
            (own_cache / ("cd" * 32) / file).write_bytes((entry / file).read_bytes())
        assert load.recall("cd" * 32) is None
        return
    else:
        (entry / load.FACE).write_text(face.to_json()[:-1])
    assert load.recall(KEY) is None
    rebuilt = load.load(KEY, face, {"net_numpy.py": TEXT})
    assert rebuilt.module.ANSWER == 42
    assert load.recall(KEY) is not None


@pytest.mark.parametrize("file", [".", "net_numpy.py", cache.MANIFEST])
def test_an_entry_that_others_may_write_is_not_trusted(own_cache: Path, face: Face, file: str) -> None:
    load.load(KEY, face, {"net_numpy.py": TEXT})
    (own_cache / KEY / file).chmod(0o777)
    assert load.recall(KEY) is None


def test_compiled_code_that_others_may_write_is_not_trusted(own_cache: Path, face: Face) -> None:
    load.load(KEY, face, {"net_numpy.py": TEXT})
    compiled = own_cache / KEY / "__pycache__"
    compiled.mkdir(exist_ok=True)
    (compiled / "net.nbi").write_bytes(b"")
    (compiled / "net.nbi").chmod(0o666)
    assert load.recall(KEY) is None


def test_a_link_is_not_trusted(own_cache: Path, tmp_path: Path, face: Face) -> None:
    load.load(KEY, face, {"net_numpy.py": TEXT})
    (own_cache / KEY).rename(tmp_path / "elsewhere")
    (own_cache / KEY).symlink_to(tmp_path / "elsewhere")
    assert load.recall(KEY) is None
    assert load.load(KEY, face, {"net_numpy.py": TEXT}).module.ANSWER == 42
    assert not (own_cache / KEY).is_symlink()


def test_a_folder_that_others_may_read_is_no_cache(own_cache: Path, face: Face) -> None:
    own_cache.mkdir(parents=True)
    own_cache.chmod(0o755)
    assert cache.folder() is None
    loaded = load.load(KEY, face, {"net_numpy.py": TEXT})
    assert loaded.module.ANSWER == 42
    assert not loaded.path.is_relative_to(own_cache)
    assert list(own_cache.iterdir()) == []


def test_the_key_depends_on_declaration_options_and_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    first = cache.key("net", {"dtype": "float32"})
    assert first == cache.key("net", {"dtype": "float32"})
    assert first != cache.key("net", {"dtype": "float64"})
    assert first != cache.key("Net", {"dtype": "float32"})
    monkeypatch.setattr(cache, "surroundings", lambda: "another version")
    assert first != cache.key("net", {"dtype": "float32"})


def test_only_the_newest_entries_are_kept(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LARGEST", 3)
    for k in range(5):
        cache.store(f"{k:064x}", {"a.py": TEXT})
    assert len(list(own_cache.iterdir())) == 3
