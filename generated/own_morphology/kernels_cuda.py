"""What the kernels beside this file run on: a GPU through Numba's CUDA target, its simulator, or any object that launches likewise.

Needs NumPy and Numba, and for a GPU one of Numba's CUDA targets: the one built into Numba, or the package numba-cuda. Nothing of CUDA
is imported before a kernel is launched, and `use` chooses what it is launched on.

Arrays go in by `take` and come back by `give`: NumPy arrays are copied, arrays that lie on the device already (CuPy, PyTorch, Numba:
whatever has __cuda_array_interface__) are used where they lie. Everything runs on one stream, in the order of the calls.
"""

import ctypes
import functools
import importlib
import importlib.util
import math
import os
import sys
import types
import warnings
import weakref
from pathlib import Path

import numpy as np
from numba import float32

#: Bytes of shared memory that a block has without being asked for more.
SHARED = 49_152
#: Names that NumPy 2.5 no longer has and numba-cuda 0.30 still asks for.
REMOVED = (("row_stack", "vstack"), ("in1d", "isin"), ("trapz", "trapezoid"))
#: Attribute of a function in CUDA: how much dynamic shared memory a launch may ask for.
MOST_DYNAMIC_SHARED = 8
#: A mode of recording: memory that Python gives back meanwhile does not end it, for nothing recorded uses that.
RELAXED = 2
#: Vector loads and stores need arrays that start at a multiple of so many bytes.
ALIGNED = 16
#: Entries between the terms of a tile in shared memory, so that threads that write one row of it use different banks.
PAD = 4


class CudaError(RuntimeError):
    """Kernels cannot run; ``found`` says why."""

    def __init__(self, found):
        super().__init__(found)
        self.found = found


class UnavailableError(CudaError):
    """There is no GPU to run on; ``found`` says what there is."""

    def __init__(self, found):
        super().__init__(found)
        self.args = (f"CUDA kernels need an NVIDIA GPU with its driver, and Numba's CUDA target (pip install 'numba-cuda[cu13]'); {found}",)


class Later:
    """Stands for the module ``cuda`` in the text of kernels; a device puts its own in this place when it compiles them."""

    def __repr__(self):
        return "<the module cuda of the device in use>"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(current().cuda, name)


cuda = Later()


class Kernel:
    """A kernel: ``py_func`` is its text, compiled when it is first launched."""

    def __init__(self, function, options):
        functools.update_wrapper(self, function)
        self.py_func, self.options = function, options
        #: What devices have made of it.
        self.made = {}

    def __call__(self, *arguments):
        raise TypeError(f"{self.py_func.__name__} is a kernel; start it by launch({self.py_func.__name__}, grid, block, ...)")


class Function:
    """A function that kernels call; here it is plain Python."""

    def __init__(self, function, options):
        functools.update_wrapper(self, function)
        self.py_func, self.options = function, options

    def __call__(self, *arguments):
        return self.py_func(*arguments)


def jit(function=None, **options):
    """Make a kernel of a Python function; options are those of cuda.jit."""
    if function is None:
        return functools.partial(jit, **options)
    return Kernel(function, options)


def device(function=None, **options):
    """Make a function that kernels call; where it waits at a barrier, all threads of a block must call it."""
    if function is None:
        return functools.partial(device, **options)
    return Function(function, options)


@device
def sigmoid(u):
    """Return 1 / (1 + exp(-u)) without overflow."""
    small = math.exp(-abs(u))
    return (small if u < float32(0.0) else float32(1.0)) / (float32(1.0) + small)


@device
def softplus(u):
    """Return log(1 + exp(u)) without overflow."""
    return math.log1p(math.exp(-abs(u))) + (float32(0.0) if u <= float32(0.0) else u)


@device
def tanh_softplus(u):
    """Return tanh(log(1 + exp(u))) = m/(m + 2) with m = exp(u) (exp(u) + 2), without overflow."""
    small = math.exp(-abs(u))
    low = u < float32(0.0)
    m = small * (small + float32(2.0)) if low else float32(1.0) + float32(2.0) * small
    return m / (m + float32(2.0) * (float32(1.0) if low else small * small))


@device
def sign(u):
    """Return 1, -1, or what is neither above nor below 0: a zero or NaN."""
    return float32(1.0) if u > float32(0.0) else float32(-1.0) if u < float32(0.0) else u


@device
def opaque(k):
    """Return an int32 of which a compiler knows nothing, so that it does not keep in registers what follows from it."""
    return k


@device
def ld4(array, index, inside):
    """Return four neighbours, or zeros where they are not inside; the index is a multiple of 4."""
    zero = array.dtype.type(0)
    return (array[index], array[index + 1], array[index + 2], array[index + 3]) if inside else (zero, zero, zero, zero)


@device
def st4(array, index, values, step):
    """Write four numbers, ``step`` entries from one to the next; with 1 the index is a multiple of 4."""
    for k in range(4):
        array[index + k * step] = values[k]


@device
def register_tile(rows, columns, value):
    """Return rows x columns numbers for a thread to keep in registers."""
    return ((value,) * columns,) * rows


@device
def multiply_add(sums, tiles, left, right, rows, columns, depth):
    """Return sums[i][j] + Σ_k left[k, i] right[k, j]: what a thread adds to its results for two tiles in shared memory.

    A thread has rows and columns of the tiles in fours, all other threads' between one four and the next.

    Args:
        sums: of a thread, by `register_tile`.
        tiles: shared memory.
        left: where the thread's first four entries of the first term of the left tile lie.
        right: and of the right one.
        rows: entries of a term of the left tile; `PAD` more lie before the next term.
        columns: of the right one.
        depth: terms.
    """
    for k in range(depth):
        u = [tiles[left + k * (rows + PAD) + i // 4 * 4 * rows // len(sums) + i % 4] for i in range(len(sums))]
        v = [tiles[right + k * (columns + PAD) + j // 4 * 4 * columns // len(sums[0]) + j % 4] for j in range(len(sums[0]))]
        sums = tuple(tuple(total + u[i] * v[j] for j, total in enumerate(row)) for i, row in enumerate(sums))
    return sums


@device
def store_row(sums, row, array, index, columns):
    """Write one row of a thread's results, in fours as far apart as in a tile of so many columns."""
    for j, total in enumerate(sums[row]):
        array[index + j // 4 * 4 * columns // len(sums[0]) + j % 4] = total


@jit
def fill_kernel(array, value):
    """Write a value everywhere."""
    for k in range(cuda.grid(1), array.size, cuda.gridsize(1)):
        array[k] = value


#: Functions that Numba cannot compile well, or not at all; `vectors` has them in LLVM's words.
OWN = {ld4, st4, register_tile, multiply_add, store_row, opaque}


@jit
def count_outside(values, least, most, found):
    """Count the values that do not lie in least .. most."""
    k = cuda.grid(1)
    if k < values.size and (values[k] < least or values[k] > most):
        cuda.atomic.add(found, 0, 1)


def vectors(module):
    """Return what Python has no words for as functions that a module ``cuda`` of Numba compiles, by name: see their plain twins above.

    Numba itself reads and writes one number at a time, where one instruction moves four (two of 64 bits: a vector has 128 at most);
    and it keeps a loop over the terms of a tile, while all of a tile's terms in a row leave nothing but multiply-adds and loads.

    Args:
        module: Numba's own or that of the package numba-cuda.
    """
    from llvmlite import ir

    if kind(module) == "builtin":
        from numba.core import types
        from numba.extending import intrinsic
    else:
        from numba.cuda import types
        from numba.cuda.extending import intrinsic

    def fits(array, *indices):
        """Whether the types are those of a 1-D array of real numbers without gaps, and of whole numbers."""
        flat = isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"
        return flat and array.dtype in (types.float32, types.float64) and all(isinstance(index, types.Integer) for index in indices)

    def literals(*given):
        """Whether all of these are numbers that stand in the text."""
        return all(isinstance(one, types.IntegerLiteral) for one in given)

    def number(value):
        return ir.Constant(ir.IntType(32), value)

    class Entries:
        """The entries of an array from an index on."""

        def __init__(self, context, code, kinds, arguments):
            array, index = kinds
            first = context.make_array(array)(context, code, arguments[0]).data
            self.code, self.lanes = code, 128 // array.dtype.bitwidth
            self.vector = ir.VectorType(context.get_data_type(array.dtype), self.lanes)
            self.first = code.gep(first, [context.cast(code, arguments[1], index, types.intp)])

        def at(self, shift):
            return self.code.gep(self.first, [ir.Constant(ir.IntType(64), shift)]) if shift else self.first

        def load(self, shift=0):
            """Return four neighbours."""
            found = []
            for k in range(0, 4, self.lanes):
                loaded = self.code.load(self.code.bitcast(self.at(shift + k), self.vector.as_pointer()))
                loaded.align = ALIGNED
                found += [self.code.extract_element(loaded, number(lane)) for lane in range(self.lanes)]
            return found

        def store(self, values, shift=0):
            """Write four neighbours."""
            for k in range(0, 4, self.lanes):
                whole = ir.Constant(self.vector, ir.Undefined)
                for lane in range(self.lanes):
                    whole = self.code.insert_element(whole, values[k + lane], number(lane))
                self.code.store(whole, self.code.bitcast(self.at(shift + k), self.vector.as_pointer())).align = ALIGNED

    def parts(code, whole, count):
        """Return the parts of a tuple."""
        return [code.extract_value(whole, k) for k in range(count)]

    @intrinsic
    def ld4(typing, array, index, inside):
        if not (fits(array, index) and isinstance(inside, types.Boolean)):
            return None

        def generate(context, code, signature, arguments):
            entries = Entries(context, code, signature.args[:2], arguments)
            before = code.block
            with code.if_then(arguments[2]):
                loaded, there = entries.load(), code.block
            found = []
            for value in loaded:
                either = code.phi(value.type)
                either.add_incoming(ir.Constant(value.type, 0.0), before)
                either.add_incoming(value, there)
                found.append(either)
            return context.make_tuple(code, signature.return_type, found)

        return types.UniTuple(array.dtype, 4)(array, index, inside), generate

    @intrinsic
    def st4(typing, array, index, values, step):
        if not (fits(array, index) and literals(step) and values == types.UniTuple(array.dtype, 4)):
            return None

        def generate(context, code, signature, arguments):
            entries, four = Entries(context, code, signature.args[:2], arguments), parts(code, arguments[2], 4)
            if step.literal_value == 1:
                entries.store(four)
            else:
                for k, value in enumerate(four):
                    code.store(value, entries.at(k * step.literal_value))
            return context.get_dummy_value()

        return types.void(array, index, values, step), generate

    @intrinsic
    def register_tile(typing, rows, columns, value):
        if not (literals(rows, columns) and isinstance(value, types.Float)):
            return None
        row = types.UniTuple(value, columns.literal_value)

        def generate(context, code, signature, arguments):
            one = context.make_tuple(code, row, [arguments[2]] * row.count)
            return context.make_tuple(code, signature.return_type, [one] * rows.literal_value)

        return types.UniTuple(row, rows.literal_value)(rows, columns, value), generate

    @intrinsic
    def multiply_add(typing, sums, array, left, right, rows, columns, depth):
        if not (fits(array, left, right) and literals(rows, columns, depth)):
            return None
        high, wide = sums.count, sums.dtype.count

        def generate(context, code, signature, arguments):
            for one in code.module.global_values:
                if one.name.startswith("_cudapy_smem"):
                    # Numba aligns shared arrays to their entries only.
                    one.align = ALIGNED
            array = signature.args[1]
            lefts = Entries(context, code, (array, signature.args[2]), (arguments[1], arguments[2]))
            rights = Entries(context, code, (array, signature.args[3]), (arguments[1], arguments[3]))
            totals = [parts(code, row, wide) for row in parts(code, arguments[0], high)]
            for term in range(depth.literal_value):
                up = fours(lefts, term, rows.literal_value, high)
                down = fours(rights, term, columns.literal_value, wide)
                totals = [[code.fma(u, v, total) for v, total in zip(down, row, strict=True)] for u, row in zip(up, totals, strict=True)]
            made = [context.make_tuple(code, sums.dtype, row) for row in totals]
            return context.make_tuple(code, sums, made)

        def fours(entries, term, extent, own):
            step = 4 * extent // own
            return [value for four in range(own // 4) for value in entries.load(term * (extent + PAD) + four * step)]

        return sums(sums, array, left, right, rows, columns, depth), generate

    @intrinsic
    def store_row(typing, sums, row, array, index, columns):
        if not (fits(array, row, index) and literals(columns)):
            return None
        own = sums.dtype.count

        def generate(context, code, signature, arguments):
            entries = Entries(context, code, signature.args[2:4], arguments[2:4])
            rows = [parts(code, one, own) for one in parts(code, arguments[0], sums.count)]
            end = code.append_basic_block()
            switch = code.switch(arguments[1], end)
            for k, numbers in enumerate(rows):
                block = code.append_basic_block()
                switch.add_case(ir.Constant(arguments[1].type, k), block)
                code.position_at_end(block)
                for four in range(own // 4):
                    entries.store(numbers[4 * four : 4 * four + 4], four * 4 * columns.literal_value // own)
                code.branch(end)
            code.position_at_end(end)
            return context.get_dummy_value()

        return types.void(sums, row, array, index, columns), generate

    @intrinsic
    def opaque(typing, k):
        if not (isinstance(k, types.Integer) and k.bitwidth == 32):
            return None

        def generate(context, code, signature, arguments):
            word = ir.IntType(32)
            return code.asm(ir.FunctionType(word, [word]), "mov.u32 $0, $1;", "=r,r", arguments, True)

        return k(k), generate

    return {one.__name__: one for one in (ld4, st4, register_tile, multiply_add, store_row, opaque)}


def compilable(function, module, made=None):
    """Return the Python function of a kernel as Numba compiles it: ``cuda`` is the module given, device functions are its own.

    Args:
        function: a kernel or a device function.
        module: Numba's module ``cuda``.
        made: device functions that are there already.
    """
    made = {} if made is None else made
    plain = getattr(function, "py_func", function)
    space = dict(plain.__globals__)
    for name in plain.__code__.co_names:
        value = space.get(name)
        if isinstance(value, Later):
            space[name] = module
        elif isinstance(value, Function):
            if value in OWN and not made.keys() & OWN and not simulated(module):
                own = vectors(module)
                made.update((function, own[function.__name__]) for function in OWN)
            if value not in made:
                made[value] = module.jit(device=True, **value.options)(compilable(value, module, made))
            space[name] = made[value]
    copy = types.FunctionType(plain.__code__, space, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__doc__, copy.__module__, copy.__qualname__ = plain.__doc__, plain.__module__, plain.__qualname__
    return copy


def numba_cuda(which="auto"):
    """Import Numba's CUDA target and return its module ``cuda``.

    Args:
        which: "builtin", "numba-cuda", or "auto" for the one that Numba itself takes, or the built-in one where that cannot be imported.

    Raises:
        UnavailableError: there is none, or another one has been imported before.
        ValueError: for another word.
    """
    if which not in ("auto", "builtin", "numba-cuda"):
        raise ValueError(f"unknown CUDA target {str(which)[:40]!r} (known: auto, builtin, numba-cuda)")
    for name, other in REMOVED:
        if not hasattr(np, name):
            setattr(np, name, getattr(np, other))
    finders = [finder for finder in sys.meta_path if type(finder).__name__ != "NumbaCudaFinder"]
    redirected = len(finders) < len(sys.meta_path)
    if which == "builtin" and "numba.cuda" not in sys.modules:
        sys.meta_path[:] = finders
    try:
        module = importlib.import_module("numba.cuda")
    except Exception as error:
        if which == "auto" and redirected:
            # A numba-cuda that this Numba, or this NumPy, is too new for.
            for name in [name for name in sys.modules if name.startswith("numba.cuda")]:
                del sys.modules[name]
            return numba_cuda("builtin")
        raise UnavailableError(f"Numba's CUDA target cannot be imported: {first_line(error)}") from error
    found = kind(module)
    if which not in ("auto", found):
        there = importlib.util.find_spec("numba_cuda") is not None
        why = f"this process has imported {found} already" if which == "builtin" or there else "the package numba-cuda is not installed"
        raise UnavailableError(f"{which} was asked for, but {why}")
    return module


def exchanged(cuda, mask, value, lanes):
    """Do what shfl_xor_sync does, for threads that are simulated; all of a block must come here, as those of these kernels do."""
    k = cuda.threadIdx.x
    exchanged.values[k] = value
    cuda.syncthreads()
    other = exchanged.values[k ^ lanes]
    cuda.syncthreads()
    return other


#: The simulator does block after block.
exchanged.values = {}


def kind(module):
    """Return which of Numba's CUDA targets a module is."""
    return "numba-cuda" if "numba_cuda" in str(getattr(module, "__file__", "")) else "builtin"


def simulated(module):
    """Return whether a module ``cuda`` simulates threads in Python."""
    return "simulator" in module.jit.__module__


def first_line(error):
    """Return the first line of an error that says something."""
    lines = [line.strip(" .:") for line in str(error).splitlines()]
    said = [line for line in lines if line and line != "Error at driver init"]
    return said[0] if said else type(error).__name__


def clear(method):
    """Make a method whose errors of CUDA are one clear line."""

    @functools.wraps(method)
    def call(self, *arguments):
        try:
            return method(self, *arguments)
        except Exception as error:
            explained = self.explained(error, arguments[0])
            if explained is error:
                raise
            raise explained from error

    return call


class Numba:
    """A GPU through Numba, or Numba's simulator of one where NUMBA_ENABLE_CUDASIM is set.

    Another device has these methods too: `interface`, `adopt`, `memory`, `room`, `write`, `read`, `copy`, `fill`, `launch`,
    `synchronize`, `record`, and `matmul` for modules that leave products to cuBLAS.
    """

    def __init__(self, which="auto"):
        self.which = which
        self._cuda = self._stream = self._blas = None
        self.free, self.made, self.recording = {}, {}, False

    def __repr__(self):
        return f"Numba({self.which!r})"

    @property
    def cuda(self):
        """Numba's module ``cuda``, once a GPU has been seen."""
        if self._cuda is None:
            module = numba_cuda(self.which)
            if not module.is_available():
                raise UnavailableError(missing(module))
            if simulated(module):
                # Numba's simulator has no way from thread to thread in registers.
                simulator = importlib.import_module("numba.cuda.simulator.kernelapi")
                simulator.FakeCUDAModule.shfl_xor_sync = exchanged
            self._stream = module.stream()
            self._cuda = module
        return self._cuda

    @property
    def records(self):
        """Whether launches can be recorded."""
        return not self.simulated

    @property
    def simulated(self):
        """Whether threads are simulated in Python."""
        return simulated(self.cuda)

    @property
    def stream(self):
        """The stream of all that is done."""
        return self._stream if self._cuda is not None else self.cuda and self._stream

    def about(self):
        """Return what this is, in words."""
        if self.simulated:
            return "Numba's simulator of CUDA"
        gpu = self.cuda.get_current_device()
        name = gpu.name.decode() if isinstance(gpu.name, bytes) else gpu.name
        return f"{kind(self.cuda)} on {name}, compute capability {'.'.join(map(str, gpu.compute_capability))}"

    # --- memory ---------------------------------------------------------------------------------------------------------

    def interface(self, array):
        """Return the __cuda_array_interface__ of an array on the device; None for any other."""
        if type(array).__name__ == "FakeCUDAArray":
            return array._ary.__array_interface__
        return None if isinstance(array, np.ndarray) else getattr(array, "__cuda_array_interface__", None)

    @clear
    def adopt(self, array):
        """Return an array on the device as one of Numba's: the same memory."""
        if type(array).__name__ in ("DeviceNDArray", "FakeCUDAArray"):
            return array
        # The default stream of CUDA and this one wait for each other; any other stream is waited for here.
        return self.cuda.as_cuda_array(array, sync=array.__cuda_array_interface__.get("stream") not in (None, 1))

    @clear
    def memory(self, size, dtype):
        """Return memory for so many numbers, in which anything may stand."""
        if self.recording:
            raise RuntimeError("memory cannot be taken while launches are recorded; take it before")
        return self.cuda.device_array(max(size, 1), dtype)

    def room(self, size, dtype):
        """Return memory that is used again when nobody refers to it any more; what is made of a view of it does not count."""
        free = self.free.setdefault(dtype, {})
        # The same requests get the same addresses again, so that what is recorded with them can be replayed.
        fitting = [(found.size, place) for place, found in free.items() if size <= found.size <= 4 * size + 1024]
        if fitting:
            # Work that still uses it stands before whatever comes next on the stream.
            place = min(fitting)[1]
            buffer = free.pop(place)
        else:
            buffer = self.memory(size, dtype)
            place = self.interface(buffer)["data"][0]
        part = buffer[:size] if size else buffer
        weakref.finalize(part, free.__setitem__, place, buffer).atexit = False
        return part

    @clear
    def write(self, values, there):
        """Copy a 1-D NumPy array to the device."""
        if values.size:
            there.copy_to_device(values, stream=self.stream)

    @clear
    def read(self, there, values):
        """Copy a 1-D array from the device to NumPy, when everything before is done."""
        if values.size:
            there.copy_to_host(values, stream=self.stream)
            self.stream.synchronize()

    @clear
    def copy(self, there, other):
        """Copy from one 1-D array on the device to another."""
        if there.size:
            other.copy_to_device(there, stream=self.stream)

    def fill(self, there, value):
        """Write one value everywhere."""
        if there.size:
            self.launch(fill_kernel, min(1024, -(-there.size // 256)), 256, (there, there.dtype.type(value)), 0, False)

    # --- kernels --------------------------------------------------------------------------------------------------------

    @clear
    def launch(self, kernel, grid, block, arguments, shared, cooperative):
        """Launch a kernel; it is compiled if it was not yet."""
        ready = kernel.made.get((self, grid, block, shared))
        if ready is None:
            ready = self.configured(kernel, grid, block, arguments, shared, cooperative)
            kernel.made[self, grid, block, shared] = ready
        ready(*arguments)

    def configured(self, kernel, grid, block, arguments, shared, cooperative):
        """Return a kernel with its launch configuration, and see that such a launch is possible."""
        compiled = kernel.made.get(self)
        if compiled is None:
            options = {} if self.simulated else kernel.options
            compiled = kernel.made[self] = self.cuda.jit(**options)(compilable(kernel, self.cuda, self.made))
        if not self.simulated and (shared > SHARED or cooperative):
            one = compiled.compile(tuple(compiled.typeof_pyval(value) for value in arguments))
            if shared > SHARED:
                self.allow_shared(kernel.__name__, one, shared)
            if cooperative:
                most = one.max_cooperative_grid_blocks(block, shared)
                blocks = math.prod(grid) if isinstance(grid, tuple) else grid
                if blocks > most:
                    raise CudaError(f"{kernel.__name__} needs {blocks} blocks at once, and this GPU holds {most}")
        with warnings.catch_warnings():
            # That a grid of few blocks leaves a GPU idle is known to who planned it.
            warnings.simplefilter("ignore")
            return compiled[grid, block, self.stream, shared]

    def allow_shared(self, name, compiled, size):
        """Let the launches of a compiled kernel ask for so much dynamic shared memory, which neither target of Numba does by itself."""
        gpu = self.cuda.get_current_device()
        most = gpu.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
        if size > most:
            raise CudaError(f"{name} needs {size:,} bytes of shared memory, and a block of this GPU has {most:,}; take schedule='layered'")
        function = compiled._codelibrary.get_cufunc()
        handle = ctypes.c_void_p(address(function.handle))
        if type(function.handle).__name__ == "CUkernel":
            driver("cuKernelSetAttribute", ctypes.c_int(MOST_DYNAMIC_SHARED), ctypes.c_int(size), handle, ctypes.c_int(gpu.id))
        else:
            driver("cuFuncSetAttribute", handle, ctypes.c_int(MOST_DYNAMIC_SHARED), ctypes.c_int(size))

    def explained(self, error, subject):
        """Return an error of CUDA in one clear line; any other error as it is.

        Args:
            error: it.
            subject: the kernel that was launched, how many numbers memory was asked for, or an array.
        """
        where = type(error).__module__
        text = str(error)
        if not where.startswith(("numba.cuda", "numba_cuda", "cuda.")) or "core.errors" in where:
            return error
        if "UNSUPPORTED_PTX_VERSION" in text or "Unsupported PTX" in text:
            return UnavailableError("the driver is older than the toolkit that compiled the kernel; update it, or take an older toolkit")
        if "libNVVM" in text or "nvvm" in type(error).__name__.lower():
            return UnavailableError(f"the compiler of kernels, libNVVM, was not found; set CUDA_HOME or install it ({first_line(error)})")
        if "cuLinkAddFile" in text:
            return UnavailableError("libcudadevrt.a, by which blocks wait for each other, was not found; set CUDA_HOME to a toolkit")
        if "OUT_OF_MEMORY" in text:
            wanted = f" for {subject:,} numbers" if isinstance(subject, int) else ""
            return CudaError(f"the GPU has no memory left{wanted}; take smaller batches")
        # What a kernel did wrong is often told to whoever waits for it.
        return CudaError(f"{subject.__name__ + ': ' if isinstance(subject, Kernel) else ''}CUDA says {first_line(error)}")

    def synchronize(self):
        """Wait for everything."""
        self.stream.synchronize()

    # --- products -------------------------------------------------------------------------------------------------------

    def matmul(self, arrays, sizes, places, accuracy):
        """Do a product of matrices by cuBLAS; where threads are simulated, by NumPy."""
        if self.simulated:
            multiplied([array._ary for array in arrays], sizes, places)
            return
        if self._blas is None:
            if self.recording:
                raise RuntimeError("cuBLAS cannot be started while launches are recorded; do a product before")
            self._blas = self.started()
        item = arrays[0].dtype.itemsize
        there = [(self.interface(a)["data"][0] + place[0] * item, *place[1:]) for a, place in zip(arrays, places, strict=True)]
        self._blas.product(item, sizes, there, accuracy)

    def started(self):
        """Return the first cuBLAS that starts on this GPU, working on our stream and in memory of ours, so that it can be recorded."""
        self.cuda.current_context()
        buffer = self.memory(BLAS_ROOM, np.dtype("uint8"))
        failed = []
        for path in blas_files():
            try:
                return Blas(ctypes.CDLL(path), address(self.stream.handle), buffer, self.interface(buffer)["data"][0])
            except (OSError, AttributeError) as error:
                # It is not there, or needs what is not.
                if os.path.isabs(path):
                    failed.append(f"{path}: {first_line(error)}")
            except CudaError as error:
                failed.append(f"{path}: {error.found}")
        found = failed[0] if failed else "neither NVIDIA's wheels, nor CUDA_HOME, nor the system has it"
        raise CudaError(
            "schedule 'external' needs cuBLAS; install it (pip install nvidia-cublas for CUDA 13, nvidia-cublas-cu12 for CUDA 12), "
            f"or set CUDA_HOME to a toolkit; {found}"
        )

    # --- graphs ---------------------------------------------------------------------------------------------------------

    def record(self, function):
        """Return how the launches of a function were recorded, and a function that replays them.

        Three ways to a CUDA graph are tried; where none works, the launches are done one by one.
        """
        failed = []
        if self.records:
            for rung, way in (("cuda.core", self.by_core), ("cuda.bindings", self.by_bindings), ("libcuda", self.by_driver)):
                self.recording = True
                try:
                    return f"graph by {rung}", way(function)
                except Exception as error:
                    failed.append(f"{rung}: {type(error).__name__}: {first_line(error)}")
                finally:
                    self.recording = False
        return "; ".join(["plain launches", *failed]), function

    def by_core(self, function):
        """Record by a GraphBuilder of cuda.core."""
        stream = importlib.import_module("cuda.core").Stream.from_handle(address(self.stream.handle))
        builder = stream.create_graph_builder().begin_building("relaxed")
        try:
            function()
        finally:
            builder.end_building()
        graph = builder.complete()
        return functools.partial(graph.launch, stream)

    def by_bindings(self, function):
        """Record by stream capture through cuda.bindings."""
        bindings = importlib.import_module("cuda.bindings.driver")

        def call(name, *arguments):
            status, *results = getattr(bindings, name)(*arguments)
            if int(status):
                raise RuntimeError(f"{name} answers {status}")
            return results[0] if results else None

        stream = bindings.CUstream(address(self.stream.handle))
        call("cuStreamBeginCapture", stream, bindings.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED)
        try:
            function()
        finally:
            graph = call("cuStreamEndCapture", stream)
        ready = call("cuGraphInstantiate", graph, 0)
        call("cuGraphDestroy", graph)
        return replaying(functools.partial(call, "cuGraphLaunch", ready, stream), call, ready)

    def by_driver(self, function):
        """Record by stream capture through the driver's own library."""
        stream, graph, ready = ctypes.c_void_p(address(self.stream.handle)), ctypes.c_void_p(), ctypes.c_void_p()
        driver("cuStreamBeginCapture_v2", stream, ctypes.c_int(RELAXED))
        try:
            function()
        finally:
            driver("cuStreamEndCapture", stream, ctypes.byref(graph))
        driver("cuGraphInstantiateWithFlags", ctypes.byref(ready), graph, ctypes.c_ulonglong(0))
        driver("cuGraphDestroy", graph)
        return replaying(functools.partial(driver, "cuGraphLaunch", ready, stream), driver, ready)


def replaying(replay, call, ready):
    """Return a function that replays a graph; when nobody refers to it any more, the graph is given back to the driver."""
    weakref.finalize(replay, call, "cuGraphExecDestroy", ready).atexit = False
    return replay


def address(handle):
    """Return a handle of the driver as a number."""
    return int(handle.value or 0) if hasattr(handle, "value") else int(handle)


@functools.cache
def library():
    """Return the driver's own library."""
    return ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")


def driver(name, *arguments):
    """Call a function of the driver.

    Raises:
        CudaError: it answers with an error.
    """
    status = getattr(library(), name)(*arguments)
    if status:
        raise CudaError(f"{name} of the CUDA driver answers error {status}")


def missing(module):
    """Return what is missing for CUDA to run, in words."""
    reason = module.cuda_error()
    if not reason:
        return "the driver is there, but libNVVM, the compiler of kernels, is not; set CUDA_HOME or install numba-cuda[cu13]"
    line, said = first_line(reason), "the package numba-cuda" if kind(module) == "numba-cuda" else "only the CUDA target built into Numba"
    if "cannot be found" in line or "CUDA driver library" in line:
        return f"{said} is installed, but no CUDA driver was found"
    if "NO_DEVICE" in line or "no CUDA-capable device" in line:
        return f"{said} and a driver are installed, but the driver sees no GPU"
    return f"{said} is installed, but the driver does not start: {line}"


#: Major versions of cuBLAS, the newest first; memory that it may use, in bytes; and its words for how exact float32 is.
BLAS, BLAS_ROOM = (13, 12, 11), 2**25
BLAS_MATH = {"strict": 0, "tf32": 3, "fast": 3}


def blas_files():
    """Yield where cuBLAS may lie: in NVIDIA's wheels, in a toolkit, and its name alone for the system to look for."""
    spec = importlib.util.find_spec("nvidia")
    folders = [f for root in (spec.submodule_search_locations or () if spec else ()) for f in sorted(Path(root).glob("*/*")) if f.is_dir()]
    homes = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    folders += [home / part for home in homes for part in ("lib64", "lib", "targets/x86_64-linux/lib", "bin", "bin/x64")]
    names = [f"cublas64_{version}.dll" if sys.platform == "win32" else f"libcublas.so.{version}" for version in BLAS]
    for name in names:
        yield from (str(folder / name) for folder in folders if (folder / name).is_file())
    yield from names


class Blas:
    """cuBLAS on one device.

    Args:
        library: with its functions.
        stream: all products are done on it.
        buffer: memory that it may use, which keeps what is recorded valid.
        place: where that lies.
    """

    def __init__(self, library, stream, buffer, place):
        self.library, self.buffer, self.accuracy = library, buffer, None
        self.handle = ctypes.c_void_p()
        self.call("cublasCreate_v2", ctypes.byref(self.handle))
        # A new stream takes the memory away again, so it comes first.
        self.call("cublasSetStream_v2", self.handle, ctypes.c_void_p(stream))
        self.call("cublasSetWorkspace_v2", self.handle, ctypes.c_void_p(place), ctypes.c_size_t(BLAS_ROOM))

    def call(self, name, *arguments):
        """Call a function of the library.

        Raises:
            CudaError: it answers with an error.
        """
        status = getattr(self.library, name)(*arguments)
        if status:
            raise CudaError(f"{name} of cuBLAS answers error {status}")

    def product(self, item, sizes, places, accuracy):
        """Do a product of matrices in C order.

        Args:
            item: bytes of a number.
            sizes: rows, columns, terms, and how many products there are.
            places: of left, right and result: address, entries from row to row in memory, whether memory holds the transpose, and
                entries from one product's matrix to the next.
            accuracy: "strict", "tf32" or "fast".
        """
        rows, columns, terms, count = sizes
        if max(*sizes, *(place[1] for place in places)) >= 2**31:
            raise CudaError(f"a product of {rows} rows, {columns} columns and {terms} terms is too large for cuBLAS")
        if accuracy != self.accuracy:
            self.call("cublasSetMathMode", self.handle, ctypes.c_int(BLAS_MATH[accuracy]))
            self.accuracy = accuracy
        letter, real = ("S", ctypes.c_float) if item == 4 else ("D", ctypes.c_double)
        many = count != 1
        left, right, result = (
            (ctypes.c_void_p(place), ctypes.c_int(lead), *((ctypes.c_longlong(step),) if many else ())) for place, lead, _, step in places
        )
        turned = [ctypes.c_int(int(place[2])) for place in places]
        # Matrices lie row by row, and cuBLAS reads them column by column: each is its transpose to it, and (A B)ᵀ = Bᵀ Aᵀ.
        self.call(
            f"cublas{letter}gemmStridedBatched" if many else f"cublas{letter}gemm_v2",
            self.handle,
            turned[1],
            turned[0],
            ctypes.c_int(columns),
            ctypes.c_int(rows),
            ctypes.c_int(terms),
            ctypes.byref(real(1)),
            *right,
            *left,
            ctypes.byref(real(0)),
            *result,
            *((ctypes.c_int(count),) if many else ()),
        )


def multiplied(arrays, sizes, places):
    """Do a product of matrices in NumPy, in float64: what `Blas.product` does, with places in arrays instead of addresses."""
    rows, columns, terms, count = sizes
    found = []
    for array, shape, (offset, lead, turned, step) in zip(arrays, ((rows, terms), (terms, columns), (rows, columns)), places, strict=True):
        strides = [k * array.itemsize for k in (step, *((1, lead) if turned else (lead, 1)))]
        found.append(np.lib.stride_tricks.as_strided(array[offset:], (count, *shape), strides))
    left, right, result = found
    result[...] = np.matmul(left.astype(np.float64), right.astype(np.float64))


_device = Numba()


def use(other):
    """Run kernels on another device.

    Args:
        other: "auto", "builtin" or "numba-cuda" for a GPU through one of Numba's CUDA targets, or an object with the methods of `Numba`.
    """
    global _device
    _device = Numba(other) if isinstance(other, str) else other


def current():
    """Return the device in use."""
    return _device


def launch(kernel, grid, block, *arguments, shared=0, cooperative=False):
    """Start a kernel.

    Args:
        kernel: made by `jit`.
        grid: number of blocks, or numbers along up to three axes.
        block: number of threads in each block, or numbers along up to three axes.
        arguments: arrays on the device, and numbers; Python's integers become int32.
        shared: bytes of dynamic shared memory.
        cooperative: whether all blocks run at once, as a kernel needs that lets them wait for each other.
    """
    _device.launch(kernel, grid, block, tuple(np.int32(a) if type(a) is int else a for a in arguments), shared, cooperative)


def matmul(left, right, result, sizes, first, second, third, accuracy="strict"):
    """Write a product of matrices, or several, that lie in C order in 1-D arrays on the device; cuBLAS does it on a GPU.

    Args:
        left: the array of the left matrix.
        right: that of the right one.
        result: that of the product.
        sizes: rows and columns of the product, terms of a sum, and how many products there are, if there are several.
        first: where the left matrix begins, the entries from row to row in memory, whether memory holds the transpose, and the entries
            from one product's matrix to the next if there are several.
        second: the same of the right one.
        third: the same of the product.
        accuracy: "strict" for float32 as it is, "tf32" or "fast" for factors of 10 bits.
    """
    rows, columns, terms, *count = sizes
    places = [(*place, 0)[:4] for place in (first, second, third)]
    _device.matmul((left, right, result), (rows, columns, terms, *(count or (1,))), places, accuracy)


def number_type(dtype):
    """Return the NumPy type of what may be one of Numba's."""
    return np.dtype(dtype if isinstance(dtype, str | type | np.dtype) else str(dtype))


def check(face, dtype):
    """Refuse an array on the device that kernels cannot take as it lies.

    Raises:
        ValueError: its type, its order in memory or its first address is another.
    """
    shape, strides = tuple(face["shape"]), face.get("strides")
    given = np.dtype(face["typestr"])
    if given != dtype:
        raise ValueError(f"an array on the device holds {given}, expected {dtype}; convert it before")
    if strides is not None and math.prod(shape):
        step = given.itemsize
        for extent, stride in zip(reversed(shape), reversed(tuple(strides)), strict=True):
            if extent > 1 and stride != step:
                raise ValueError(f"an array of shape {shape} on the device is not contiguous in C order; make a contiguous copy before")
            step *= extent
    if face.get("mask") is not None:
        raise ValueError("an array on the device has a mask; fill it before")
    if dtype.kind == "f" and face["data"][0] % ALIGNED and math.prod(shape):
        raise ValueError(f"an array on the device does not start at a multiple of {ALIGNED} bytes; make a copy before")


def interface(array):
    """Return the __cuda_array_interface__ of an array on the device; None for any other."""
    return _device.interface(array)


def flat(there):
    """Return an array with one axis: the same memory."""
    return there if there.ndim == 1 else there.reshape(there.size)


def take(array, dtype):
    """Return an array as kernels take it, 1-D and on the device: a NumPy array is copied, any other used where it lies.

    Raises:
        ValueError: an array on the device has another type, is not contiguous or starts at an odd address.
        TypeError: it is no array.
    """
    dtype = number_type(dtype)
    face = _device.interface(array)
    if face is not None:
        check(face, dtype)
        return flat(_device.adopt(array))
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected a NumPy array, or one on the device with __cuda_array_interface__, got a {type(array).__name__}")
    there = _device.room(array.size, dtype)
    _device.write(np.ascontiguousarray(array, dtype).reshape(array.size), there)
    return there


def put(array, dtype=None):
    """Return a copy of a NumPy array on the device, of the same shape, for the caller to keep; of one on the device the memory itself."""
    if _device.interface(array) is not None:
        return _device.adopt(array)
    dtype = array.dtype if dtype is None else number_type(dtype)
    there = _device.memory(array.size, dtype)[: array.size]
    _device.write(np.ascontiguousarray(array, dtype).reshape(array.size), there)
    return there if array.ndim == 1 else there.reshape(*array.shape)


def part(array, low, high):
    """Return some rows of an array: of one on the device, where they do not start as `take` wants it, a copy."""
    rows = array[low:high]
    face = _device.interface(rows)
    if face is None or face["data"][0] % ALIGNED == 0:
        return rows
    rows = _device.adopt(rows)
    there = _device.memory(rows.size, rows.dtype)[: rows.size]
    _device.copy(flat(rows), there)
    return there.reshape(*rows.shape)


def room(work, size, dtype):
    """Return workspace on the device: ``work`` if it is an array there that is large enough, else memory kept from call to call."""
    dtype = number_type(dtype)
    face = None if work is None else _device.interface(work)
    if face is not None and math.prod(face["shape"]) >= size:
        check(face, dtype)
        return flat(_device.adopt(work))
    return _device.room(size, dtype)


def zeros(size, dtype):
    """Return so many zeros on the device."""
    there = _device.room(size, number_type(dtype))
    _device.fill(there, 0)
    return there


def fill(there, value):
    """Write one value everywhere in an array on the device."""
    _device.fill(there, value)


def give(there, array):
    """Copy a result to where it was asked for: to a NumPy array; an array on the device holds it already."""
    if not isinstance(array, np.ndarray) or _device.interface(array) is not None:
        return
    if array.flags.c_contiguous and array.dtype == there.dtype:
        _device.read(there, array.reshape(array.size))
        return
    values = np.empty(array.size, there.dtype)
    _device.read(there, values)
    array[...] = values.reshape(array.shape)


def host(there):
    """Return a copy of an array on the device in NumPy."""
    there = _device.adopt(there)
    values = np.empty(there.shape, there.dtype)
    give(flat(there), values)
    return values


def write(values, there):
    """Copy a NumPy array to an array on the device of the same size."""
    there = flat(_device.adopt(there))
    _device.write(np.ascontiguousarray(values, there.dtype).reshape(values.size), there)


def number(there, place=0):
    """Return one entry of an array on the device as a Python float, when everything before is done."""
    value = np.empty(1, there.dtype)
    _device.read(there[place : place + 1], value)
    return float(value[0])


def in_range(values, least, most):
    """Return whether every value of an array of labels or tokens lies in least .. most."""
    if isinstance(values, np.ndarray):
        return bool(values.size == 0 or (values.min() >= least and values.max() <= most))
    found, there = zeros(1, "int32"), take(values, "int64")
    launch(count_outside, (there.size + 127) // 128, 128, there, least, most, found)
    return number(found) == 0


def synchronize():
    """Wait until the device has done everything."""
    _device.synchronize()


class Record:
    """What is kept of launches: how they were recorded, how often they were done, and what replays them."""

    def __init__(self):
        self.rung, self.calls, self.replay = "plain launches", 0, None

    def __call__(self, function):
        """Do the launches of a function, by a replay if there is one."""
        self.calls += 1
        if self.calls == 2:
            self.rung, replay = _device.record(function)
            # The function is not kept, nor what it holds.
            self.replay = None if replay is function else replay
        (self.replay or function)()


class Captured:
    """A function without arguments whose launches are recorded in a CUDA graph; ``rung`` says how.

    The first call does the launches one by one, so that everything is compiled; the second records them, and from then on they are
    replayed, with the arrays and numbers of that call. The function must do nothing but launch: it takes no memory and reads nothing.
    """

    def __init__(self, function):
        self.function, self.record = function, Record()

    @property
    def rung(self):
        """How the launches were recorded."""
        return self.record.rung

    @property
    def calls(self):
        """How often they were done."""
        return self.record.calls

    def __call__(self):
        """Do the launches."""
        self.record(self.function)


def captured(function):
    """Return a function that does the launches of another one, from its second call on by a CUDA graph where there is one."""
    return Captured(function)


#: Rounds that one graph does where there are many, and how many graphs are kept.
ROUNDS, KEPT = 16, 64
_records = {}


def repeat(times, function, *arguments):
    """Call a function that only launches so many times; what was recorded with the same memory is replayed by a CUDA graph.

    Args:
        times: how often.
        function: of the module; what it launches depends on its arguments alone.
        arguments: arrays on the device, and numbers.
    """
    if not getattr(_device, "records", False):
        for _ in range(times):
            function(*arguments)
        return
    rounds = ROUNDS if times >= 4 * ROUNDS else 1
    for many, count in ((rounds, times // rounds), (1, times % rounds)):
        if not count:
            continue
        key = (_device, function, many, *map(identity, arguments))
        if key not in _records and len(_records) >= KEPT:
            _records.pop(next(iter(_records)))
        record = _records.setdefault(key, Record())

        def several(many=many):
            for _ in range(many):
                function(*arguments)

        for _ in range(count):
            record(several)


def identity(value):
    """Return what recorded launches know of an argument: the memory of an array, or the number itself."""
    face = _device.interface(value)
    return value if face is None else (face["data"][0], tuple(face["shape"]), face["typestr"])
