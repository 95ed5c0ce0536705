"""Parameters: one buffer, many names; nothing half-written, nothing pickled."""

from __future__ import annotations

import os
import pickle
import zipfile

import numpy as np
import pytest

import symbackprop as sbp
from symbackprop.execute import files

NET = sbp.Sequential([sbp.Input(4), sbp.Dense(3, activation="tanh"), sbp.Dense(2)], loss="mse", name="net")


@pytest.fixture
def params():
    return NET.init(0, "float64")


def test_the_arrays_are_views_of_one_buffer_in_declaration_order(params):
    assert list(params) == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]
    assert np.array_equal(params.flat, np.concatenate([params[name].ravel() for name in params]))
    params["dense_1.W"][1, 2] = 7
    assert params.flat[6] == 7 and all(np.shares_memory(v, params.flat) for v in params.values())


def test_assignment_copies_after_checks(params):
    value = np.arange(6.0).reshape(2, 3)
    params["dense_2.W"] = value
    value[:] = 0
    assert params["dense_2.W"][1, 2] == 5
    params["dense_1.b"] = [1, 2, 3]
    assert params["dense_1.b"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "value", "error", "said"),
    [
        ("dense_2.W", np.zeros((3, 2)), sbp.ShapeError, r"\(2, 3\).*\(3, 2\)"),
        ("dense_2.W", 0.0, sbp.ShapeError, "shape"),
        ("dense_2.W", np.zeros((2, 3), np.float32), sbp.DataError, "astype"),
        ("dense_2.W", np.zeros((2, 3), complex), sbp.DataError, "real numbers"),
        ("dense_2.W", [["a"] * 3] * 2, sbp.DataError, "real numbers"),
        ("dense_2.W", [[1, 2], [3]], sbp.DataError, "array of numbers"),
        ("dense_2.w", np.zeros((2, 3)), sbp.DataError, "did you mean 'dense_2.W'"),
    ],
)
def test_a_rejected_assignment_changes_nothing(params, name, value, error, said):
    before = params.flat.copy()
    with pytest.raises(error, match=said):
        params[name] = value
    assert np.array_equal(params.flat, before)


def test_values_are_given_all_or_none(params):
    values = {name: np.array(v) for name, v in params.items()}
    assert NET.parameters(values) == params
    assert NET.parameters({k: v.astype(np.float32) for k, v in values.items()}).dtype == np.float32
    assert NET.parameters(values, "float32").dtype == np.float32
    assert NET.parameters({k: v.tolist() for k, v in values.items()}).dtype == np.float64
    with pytest.raises(sbp.DataError, match=r"no value is given for dense_1\.b"):
        NET.parameters({k: v for k, v in values.items() if k != "dense_1.b"})
    with pytest.raises(sbp.DataError, match="no parameter 'extra'"):
        NET.parameters({**values, "extra": 1})
    with pytest.raises(sbp.ShapeError):
        NET.parameters({**values, "dense_1.b": np.zeros(4)})


def test_a_copy_is_independent(params):
    other = params.copy()
    other.flat[:] = 0
    assert params.flat.any() and not other["dense_1.W"].any() and params.state == {}


@pytest.mark.parametrize("dtype", ["int32", "float16", "complex128", "banana", ">f8"])
def test_other_types_are_refused(dtype):
    with pytest.raises(sbp.DataError, match="float32"):
        NET.init(0, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_what_was_saved_is_loaded_bit_for_bit(tmp_path, suffix, dtype):
    params = NET.init(4, dtype)
    params.flat[:3] = [np.nan, np.inf, -0.0]
    path = params.save(tmp_path / f"p{suffix}")
    loaded = sbp.Parameters.load(path)
    assert loaded == params and list(loaded) == list(params) and loaded.flat.tobytes() == params.flat.tobytes()
    content = path.read_bytes()
    assert params.save(path).read_bytes() == content


def test_numpy_reads_the_file_too(tmp_path, params):
    with np.load(params.save(tmp_path / "p.npz"), allow_pickle=False) as archive:
        assert np.array_equal(archive["dense_2.W"], params["dense_2.W"])


def test_parameters_survive_pickling_in_memory(params):
    assert pickle.loads(pickle.dumps(params)) == params


@pytest.mark.parametrize("name", ["p.pkl", "p", "p.npy"])
def test_other_endings_are_refused(tmp_path, params, name):
    with pytest.raises(sbp.OutputError, match=r"\.npz or \.safetensors"):
        params.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folders_and_files_are_output_errors(tmp_path, params):
    with pytest.raises(sbp.OutputError):
        params.save(tmp_path / "no" / "p.npz")
    with pytest.raises(sbp.OutputError, match="cannot read"):
        sbp.Parameters.load(tmp_path / "p.npz")


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 nothing", b"\xff" * 64])
def test_damaged_files_are_data_errors(tmp_path, suffix, content):
    path = tmp_path / f"p{suffix}"
    path.write_bytes(content)
    with pytest.raises(sbp.DataError, match="damaged"):
        sbp.Parameters.load(path)


def test_a_truncated_file_is_a_data_error(tmp_path, params):
    path = params.save(tmp_path / "p.npz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(sbp.DataError):
        sbp.Parameters.load(path)


def test_objects_in_a_file_are_never_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "p.npz"
    np.savez(path, **{"dense_1.W": np.array([Trap()], dtype=object)})
    with pytest.raises(sbp.DataError):
        sbp.Parameters.load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "p.npz"
    header = (
        b"\x93NUMPY\x01\x00"
        + (118).to_bytes(2, "little")
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }".ljust(117)
        + b"\n"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", header)
    with pytest.raises(sbp.DataError):
        sbp.Parameters.load(path)


def test_a_failing_disk_leaves_the_old_file(tmp_path, params, monkeypatch):
    path = params.save(tmp_path / "p.npz")
    old = path.read_bytes()
    other = NET.init(9, "float64")

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(sbp.OutputError, match="No space left"):
        other.save(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == ["p.npz"]
