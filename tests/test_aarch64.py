"""The comparison of machines in `make test-aarch64` detects a single different bit."""

import importlib.util
import pathlib

import pytest

from conftest import require_native_in_xla

pytestmark = pytest.mark.long

PROGRAM = pathlib.Path(__file__).parent / "aarch64" / "noise_arrays.py"


@pytest.fixture(scope="module")
def program():
    require_native_in_xla()
    specification = importlib.util.spec_from_file_location("noise_arrays", PROGRAM)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def arrays(program):
    return program.noise_arrays()


def test_arrays_and_a_model_have_the_bits_that_were_written(program, arrays, tmp_path, capsys):
    program.write(tmp_path, arrays)
    program.compare(tmp_path, arrays)
    assert f"have the bits of {tmp_path}" in capsys.readouterr().out


def test_every_noise_type_and_mode_is_among_the_arrays(program, arrays):
    for noise in program.NOISES:
        for mode in program.MODES:
            for dtype in program.DTYPES:
                start = f"{noise.function}, {mode}: {dtype.name}: "
                names = [name.removeprefix(start) for name in arrays if name.startswith(start)]
                assert "large" in names
                assert "gradient of input, parameters of 0" in names


def test_one_bit_of_one_element_is_found_and_named(program, arrays, tmp_path):
    program.write(tmp_path, arrays)
    key = next(iter(arrays))
    bits = program._bits(arrays[key]).copy()
    bits[0, 12] ^= 1
    changed = {**arrays, key: bits.view(arrays[key].dtype)}
    with pytest.raises(SystemExit, match=r"1 of \d+ arrays differ") as error:
        program.compare(tmp_path, changed)
    assert f"{key}: 1 of {bits.size} elements differ, the first at (0, 12)" in str(error.value)


def test_an_array_that_one_machine_lacks_is_named(program, arrays, tmp_path):
    program.write(tmp_path, arrays)
    key = next(iter(arrays))
    rest = {name: array for name, array in arrays.items() if name != key}
    with pytest.raises(SystemExit, match="only one machine made these") as error:
        program.compare(tmp_path, rest)
    assert key in str(error.value)
