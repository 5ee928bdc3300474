"""Compares the launchers with PyTorch, CuPy and JAX on the same work: x + 0.1 z.

Usage: peers.py LIBRARY RESULT.json. All peers run alternately in one process. All except JAX use
PyTorch's memory and events. JAX is timed by the host's clock over many calls, which its row
indicates. Missing peers are listed at the end and in the JSON.
"""

import ctypes
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

REPEATS = 15
SAMPLE_MICROSECONDS = 5000.0
TYPES = {"float16": 0, "bfloat16": 1, "float32": 2}
SIZES = (1 << 26, 1 << 20, 1 << 12)
Run = Callable[[], Any]
missing: dict[str, str] = {}


def optional(name: str) -> Any:
    """Imports a module, or returns None and records why."""
    try:
        return __import__(name)
    except Exception as error:  # a broken installation may raise anything
        missing[name] = f"{type(error).__name__}: {error}"
        return None


def sees_gpu(jax: Any) -> bool:
    """Whether JAX sees a GPU. It may be installed without its CUDA plugin."""
    try:
        return any(device.platform == "gpu" for device in jax.devices())
    except RuntimeError:
        return False


class Launchers:
    """The shared library's functions on PyTorch tensors."""

    def __init__(self, path: str, torch: Any) -> None:
        self.torch = torch
        self.library = ctypes.CDLL(os.path.abspath(path))
        i32, i64, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
        self.library.flatnoise_apply_noise.argtypes = [
            *(
                i32,
                i32,
                pointer,
                pointer,
                i64,
                i64,
                pointer,
                pointer,
                pointer,
                pointer,
                i64,
                pointer,
            )
        ]
        self.library.flatnoise_workspace_bytes.argtypes = [i32, i64, i64, i64]
        self.library.flatnoise_workspace_bytes.restype = i64
        self.library.flatnoise_sum_gradients.argtypes = [
            *(
                i32,
                i32,
                pointer,
                i64,
                i64,
                pointer,
                pointer,
                pointer,
                pointer,
                i64,
                pointer,
                pointer,
            )
        ]
        self.seed = torch.tensor([1, 2], dtype=torch.int64, device="cuda")
        self.offset = torch.zeros((), dtype=torch.int64, device="cuda")
        self.loc = torch.zeros((), device="cuda")
        self.scale = torch.full((), 0.1, device="cuda")
        self.sums = torch.zeros(2, device="cuda")

    def apply_noise(self, x: Any, y: Any, dtype: str, uniform: bool) -> Run:
        arguments = (
            *(TYPES[dtype], int(uniform), x.data_ptr(), y.data_ptr(), x.numel(), 1),
            *(self.seed.data_ptr(), self.offset.data_ptr()),
            *(self.loc.data_ptr(), self.scale.data_ptr(), 1),
        )

        def run() -> None:
            stream = self.torch.cuda.current_stream().cuda_stream
            if error := self.library.flatnoise_apply_noise(*arguments, stream):
                raise RuntimeError(f"flatnoise_apply_noise returned {error}")

        return run

    def sum_gradients(self, dy: Any, dtype: str, uniform: bool) -> Run:
        size = self.library.flatnoise_workspace_bytes(TYPES[dtype], dy.numel(), 1, 1)
        workspace = self.torch.empty(size, dtype=self.torch.uint8, device="cuda")
        sums = self.sums.data_ptr()

        def run() -> None:
            stream = self.torch.cuda.current_stream().cuda_stream
            if error := self.library.flatnoise_sum_gradients(
                *(TYPES[dtype], int(uniform), dy.data_ptr(), dy.numel(), 1),
                *(self.seed.data_ptr(), self.offset.data_ptr(), sums, sums + 4, 1),
                *(workspace.data_ptr(), stream),
            ):
                raise RuntimeError(f"flatnoise_sum_gradients returned {error}")

        return run


def torch_contenders(torch: Any, x: Any, uniform: bool) -> dict[str, Run]:
    draw = torch.rand_like if uniform else torch.randn_like

    def add(x: Any) -> Any:
        return x + 0.1 * draw(x)

    def add_in_float(x: Any) -> Any:
        return (x.float() + 0.1 * draw(x, dtype=torch.float32)).to(x.dtype)

    torch._dynamo.reset()
    compiled = torch.compile(add, dynamic=False)
    found = {"PyTorch eager": lambda: add(x), "torch.compile": lambda: compiled(x)}
    if x.dtype != torch.float32:
        wide = torch.compile(add_in_float, dynamic=False)
        found["torch.compile, float32 noise"] = lambda: wide(x)
    return found


def torch_gradient_contenders(torch: Any, dy: Any, uniform: bool) -> dict[str, Run]:
    """Gradients with recomputed noise, like in the kernels, and a plain sum."""
    draw = torch.rand_like if uniform else torch.randn_like

    def sums(dy: Any) -> Any:
        wide = dy.float()
        return wide.sum(), (wide * draw(wide)).sum()

    compiled = torch.compile(sums, dynamic=False)
    return {
        "PyTorch eager": lambda: sums(dy),
        "torch.compile": lambda: compiled(dy),
        "torch.sum": lambda: dy.sum(dtype=torch.float32),
    }


def cupy_contenders(cupy: Any, torch: Any, x: Any, uniform: bool) -> dict[str, Run]:
    if x.dtype != torch.float32:
        return {}  # CuPy's generators only support float32 and float64
    generator = cupy.random.Generator(cupy.random.Philox4x3210(seed=1))
    values = cupy.from_dlpack(x)

    def run() -> Any:
        with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            if uniform:
                return values + cupy.float32(0.1) * generator.random(
                    values.shape, dtype=cupy.float32
                )
            return values + cupy.float32(0.1) * generator.standard_normal(
                values.shape, dtype=cupy.float32
            )

    return {"CuPy, cuRAND Philox": run}


def jax_contenders(jax: Any, x: Any, dtype: str, uniform: bool) -> dict[str, Run]:
    values = jax.device_put(jax.numpy.asarray(x.float().cpu().numpy(), dtype=dtype))
    draw = jax.random.uniform if uniform else jax.random.normal

    def contender(implementation: str) -> Run:
        key = jax.random.key(1, impl=implementation)
        add = jax.jit(lambda x, key: x + 0.1 * draw(key, x.shape, x.dtype))
        return functools.partial(add, values, key)

    return {f"JAX jit, {name}": contender(name) for name in ("threefry2x32", "rbg")}


def events_time(torch: Any, run: Run, calls: int) -> float:
    """The time of one call in microseconds, by the device's clock."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(calls):
        run()
    end.record()
    end.synchronize()
    return 1000 * begin.elapsed_time(end) / calls


def host_time(jax: Any, run: Run, calls: int) -> float:
    """The time of one call in microseconds, by the host's clock, with a final synchronization."""
    start = time.perf_counter()
    result = None
    for _ in range(calls):
        result = run()
    jax.block_until_ready(result)
    return 1e6 * (time.perf_counter() - start) / calls


def measure(case: dict[str, Any], contenders: dict[str, Run], clock: Callable[..., float]) -> Any:
    samples: dict[str, list[float]] = {}
    calls: dict[str, int] = {}
    for name, run in contenders.items():
        try:
            for _ in range(3):
                once = clock(name, run, 1)
            calls[name] = max(1, min(500, round(SAMPLE_MICROSECONDS / max(once, 1.0))))
            samples[name] = []
        except Exception as error:  # the peer doesn't support this case
            missing[f"{name}, {case}"] = f"{type(error).__name__}: {str(error)[:200]}"
    for _ in range(REPEATS):
        for name in samples:
            samples[name].append(clock(name, contenders[name], calls[name]))
    return [
        {
            **case,
            "name": name,
            "clock": "host" if name.startswith("JAX") else "events",
            "microseconds": statistics.median(times),
            "least": min(times),
            "most": max(times),
            "samples": len(times),
        }
        for name, times in samples.items()
    ]


def print_rows(rows: list[dict[str, Any]]) -> None:
    ours = next((row["microseconds"] for row in rows if row["name"] == "flatnoise"), None)
    for row in rows:
        ratio = "" if ours is None else f"{row['microseconds'] / ours:8.2f} x flatnoise's time"
        print(
            f"{row['kind']:<9} {row['type']:<9} {row['distribution']:<8} {row['elements']:>10}  "
            f"{row['name']:<30} {row['microseconds']:>10.2f} us {ratio} ({row['clock']})",
            flush=True,
        )


def main() -> None:
    library, result = sys.argv[1:3]
    torch = optional("torch")
    if torch is None or not torch.cuda.is_available():
        reason = missing.get("torch", "it sees no GPU")
        sys.exit(f"PyTorch holds the tensors here and can't be used: {reason}")
    cupy, jax = optional("cupy"), optional("jax")
    if jax is not None and not sees_gpu(jax):
        missing["jax"] = "it sees no GPU"
        jax = None
    launchers = Launchers(library, torch)

    def clock(name: str, run: Run, calls: int) -> float:
        if name.startswith("JAX"):
            return host_time(jax, run, calls)
        return events_time(torch, run, calls)

    rows = []
    cases = [(t, s, u) for s in SIZES for t in TYPES for u in (False, True)]
    for dtype, elements, uniform in cases:
        if elements != SIZES[0] and dtype != "float32":
            continue
        x = torch.randn(elements, device="cuda").to(getattr(torch, dtype))
        y = torch.empty_like(x)
        case = {"type": dtype, "distribution": "uniform" if uniform else "normal"}
        case["elements"] = elements
        forward = {"flatnoise": launchers.apply_noise(x, y, dtype, uniform)}
        forward["copy"] = functools.partial(y.copy_, x)
        forward |= torch_contenders(torch, x, uniform)
        for name, module, make in (
            ("CuPy", cupy, lambda x=x, u=uniform: cupy_contenders(cupy, torch, x, u)),
            ("JAX", jax, lambda x=x, d=dtype, u=uniform: jax_contenders(jax, x, d, u)),
        ):
            if module is None:
                continue
            try:
                forward |= make()
            except Exception as error:
                missing[f"{name}, {case}"] = f"{type(error).__name__}: {str(error)[:200]}"
        found = measure({"kind": "forward", **case}, forward, clock)
        print_rows(found)
        rows += found
        gradient = {"flatnoise": launchers.sum_gradients(x, dtype, uniform)}
        gradient |= torch_gradient_contenders(torch, x, uniform)
        found = measure({"kind": "gradient", **case}, gradient, clock)
        print_rows(found)
        rows += found
    modules = [module for module in (torch, cupy, jax) if module is not None]
    versions = {module.__name__: module.__version__ for module in modules}
    with open(result, "w") as file:
        machine = {"device": torch.cuda.get_device_name(), "versions": versions}
        json.dump({**machine, "missing": missing, "rows": rows}, file, indent=1)
    for name, reason in missing.items():
        print(f"MISSING: {name}: {reason}")
    if not missing:
        print("No peer was missing.")


if __name__ == "__main__":
    main()
