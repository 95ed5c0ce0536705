"""Files are whole or absent, and lie where they may."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from symbackprop.errors import OutputError
from symbackprop.execute import files


def everything(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*")}


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.py"
    files.write(target, "old\n")
    files.write(target, b"new\n")
    assert target.read_bytes() == b"new\n"
    assert everything(tmp_path) == {"a.py"}


@pytest.mark.parametrize("relative", ["../out.py", "a/../../out.py", "/tmp/out.py", "", "a/nul.py", "COM1"])
def test_a_path_that_leaves_its_folder_is_refused(tmp_path: Path, relative: str) -> None:
    with pytest.raises(OutputError, match="output path"):
        files.write_all(tmp_path / "root", {"good.py": "x", relative: "x"})
    assert everything(tmp_path) == set()


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "net").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="leads out of"):
        files.write_all(tmp_path / "root", {"net/net.py": "x"})
    assert everything(tmp_path / "elsewhere") == set()


def test_a_file_where_a_folder_should_be_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("in the way")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        files.write_all(tmp_path / "root", {"net/a.py": "x", "net/b.py": "y"})
    assert everything(tmp_path) == {"root"}


@pytest.mark.parametrize("failing", range(1, 7))
def test_no_failure_of_the_disk_leaves_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """The n-th call of fsync or replace fails as on a full disk."""
    files.write_all(tmp_path, {"net/a.py": "old", "net/b.py": "old", "net/c.py": "old"})
    calls = 0

    def counted(right):  # type: ignore[no-untyped-def]
        def call(*args):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(28, "No space left on device")
            return right(*args)

        return call

    monkeypatch.setattr(files.os, "fsync", counted(os.fsync))
    monkeypatch.setattr(files.os, "replace", counted(os.replace))
    with pytest.raises(OutputError, match="No space left on device"):
        files.write_all(tmp_path, {"net/a.py": "new", "net/b.py": "new", "net/c.py": "new"})
    assert everything(tmp_path) == {"net", "net/a.py", "net/b.py", "net/c.py"}
    assert {(tmp_path / "net" / f).read_text() for f in ("a.py", "b.py", "c.py")} <= {"old", "new"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="a superuser may write everywhere")
def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="choose a path that can be written"):
        files.write_all(tmp_path / "root", {"a.py": "x"})


def test_a_refused_folder_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args, **options):  # type: ignore[no-untyped-def]
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.Path, "mkdir", refused)
    with pytest.raises(OutputError, match="Permission denied") as caught:
        files.write_all(tmp_path / "root", {"net/a.py": "x"})
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == set()
