"""Matrix products and functions for the kernels beside this file: loops that Numba vectorises, without BLAS.

How they are compiled and how they get at memory stands first.

Every entry is summed in the same order for any number of threads, so the results never depend on it. The loops run over
slices from 0 on: Numba then knows that no index is negative, which doubles their speed.
"""

import ctypes
import math

import numpy as np
from llvmlite import ir
from numba import _dynfunc, config, get_num_threads, prange, types
from numba import njit as jit
from numba.core import cgutils, sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

#: Rows that one thread takes at a time, and rows of the right factor that stay in the cache meanwhile.
ROWS = 32
DEPTH = 256


# A function is compiled as a piece of every entry that calls it, so that the optimizer sees each entry once and as a whole. Numba's
# own way is to optimize a function alone, and once more in each of its callers.


class PieceLibrary(JITCodeLibrary):
    """Code that is linked into that of its callers before anything is optimized."""

    def finalize(self):
        """Link what this code calls, no more."""
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalize_dynamic_globals()
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class PieceLowering(NativeLowering):
    """Numba's last step, without machine code."""

    _name = "piece_lowering"

    def run_pass(self, state):
        """Write the code of a piece."""
        context = state.targetctx
        state.library = PieceLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        made = state["cr"]
        # Never called: Numba knows a function by the object that Python would call.
        name = made.fndesc.qualname.split(".")[-1]
        never = _dynfunc.make_function(made.fndesc.lookup_module(), name, "", 0, made.env, (state.library,))
        context.insert_user_function(never, made.fndesc, [state.library])
        state["cr"] = made._replace(cfunc=never)
        return True


class PieceCompiler(CompilerBase):
    """Numba's compiler with another last step."""

    def define_pipelines(self):
        """Return the steps."""
        steps = DefaultPassBuilder.define_nopython_pipeline(self.state)
        steps.passes = [(PieceLowering if step is NativeLowering else step, doc) for step, doc in steps.passes]
        steps.finalize()
        return [steps]


class PieceText(CPUDispatcher):
    """A piece as its callers see it."""

    def __init__(self, py_func, signature, options):
        super().__init__(py_func, None, options, PieceCompiler)
        self.wanted = None if signature is None else sigutils.normalize_signature(signature)[0]

    def get_call_template(self, args, kws):
        """Compile for the types of a signature where there is one: literal numbers would be types of their own."""
        return super().get_call_template(args if self.wanted is None else self.wanted, kws)


class Piece(CPUDispatcher):
    """A compiled function that Python calls as such, and other compiled functions as a piece of their own."""

    def __init__(self, py_func, locals=None, targetoptions=None, pipeline_class=Compiler, signature=None):
        inner = {**targetoptions, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        self.inner = PieceText(py_func, signature, inner)
        super().__init__(py_func, locals, targetoptions, pipeline_class)

    @property
    def _numba_type_(self):
        return types.Dispatcher(self.inner)

    @property
    def _type(self):
        return self._numba_type_

    @_type.setter
    def _type(self, value):
        """Keep the type of the piece."""


def njit(signature=None, *, cache=False, parallel=False, **options):
    """Do numba.njit; of the function that comes out, compiled callers take the text and no machine code."""

    def compiled(function):
        if parallel or config.DISABLE_JIT:
            return jit(cache=cache, parallel=parallel, **options)(function)
        made = Piece(function, None, {"nopython": True, "boundscheck": None, **options}, signature=signature)
        if cache:
            made.enable_caching()
        return made

    return compiled


# Arrays that own nothing: parts of flat buffers, and memory known by its address only.


def placed(context, builder, kind, data, shape):
    """Return the code of an array of C order at an address."""
    made = make_array(kind)(context, builder)
    item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [item]
    for extent in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], extent, flags=["nsw"]))
    populate_array(
        made,
        data=builder.bitcast(data, context.get_data_type(kind.dtype).as_pointer()),
        shape=cgutils.pack_array(builder, shape),
        strides=cgutils.pack_array(builder, strides),
        itemsize=item,
        meminfo=None,  # nothing is counted: the memory outlives the call
    )
    return made._getvalue()


@intrinsic
def view(typingctx, buffer, start, shape):
    """Return the part of a flat buffer that begins at an index, as an array of a shape."""
    rank = len(shape)
    kind = types.Array(buffer.dtype, rank, "C", readonly=not buffer.mutable)

    def code(context, builder, signature, arguments):
        array = make_array(signature.args[0])(context, builder, arguments[0])
        sizes = cgutils.unpack_tuple(builder, arguments[2], rank)
        stop = arguments[1]
        count = sizes[0]
        for extent in sizes[1:]:
            count = builder.mul(count, extent, flags=["nsw"])
        stop = builder.add(stop, count, flags=["nsw"])
        (length,) = cgutils.unpack_tuple(builder, array.shape, 1)
        with builder.if_then(builder.icmp_signed(">", stop, length), likely=False):
            context.call_conv.return_user_exc(builder, ValueError, ("a flat buffer is too short: see workspace(n) and PARAMETERS",))
        return placed(context, builder, kind, builder.gep(array.data, [arguments[1]]), sizes)

    return kind(buffer, types.intp, types.UniTuple(types.intp, rank)), code


@intrinsic
def whole_at(typingctx, table, k):
    """Return the k-th of the 64-bit integers at an address."""

    def code(context, builder, signature, arguments):
        start = builder.inttoptr(arguments[0], context.get_data_type(types.int64).as_pointer())
        return builder.load(builder.gep(start, [arguments[1]]))

    return types.int64(types.intp, types.intp), code


@intrinsic
def array_at(typingctx, dtype, address, shape):
    """Return the memory at an address as an array."""
    rank = len(shape)
    kind = types.Array(dtype.dtype, rank, "C")

    def code(context, builder, signature, arguments):
        data = builder.inttoptr(arguments[1], context.get_data_type(kind.dtype).as_pointer())
        return placed(context, builder, kind, data, cgutils.unpack_tuple(builder, arguments[2], rank))

    return kind(dtype, types.intp, types.UniTuple(types.intp, rank)), code


if config.DISABLE_JIT:

    def view(buffer, start, shape):
        """Return the part of a flat buffer that begins at an index, as an array of a shape."""
        return buffer[start : start + math.prod(shape)].reshape(shape)

    def whole_at(table, k):
        """Return the k-th of the 64-bit integers at an address."""
        return ctypes.c_int64.from_address(table + 8 * k).value

    def array_at(dtype, address, shape):
        """Return the memory at an address as an array."""
        there = (ctypes.c_byte * (np.dtype(dtype).itemsize * math.prod(shape))).from_address(address)
        return np.frombuffer(there, dtype).reshape(shape)


@intrinsic
def threads(typingctx):
    """Return how many threads may be used; to be called where Numba has started them, in a function with parallel loops."""

    def code(context, builder, signature, arguments):
        function = ir.FunctionType(context.get_value_type(types.intp), [])
        return builder.call(cgutils.get_or_insert_function(builder.module, function, "get_num_threads"), [])

    return types.intp(), code


if config.DISABLE_JIT:

    def threads():
        """Return how many threads may be used."""
        return get_num_threads()


@njit("UniTuple(int64, 2)(int64, int64, int64)", cache=True, error_model="numpy")
def share(extent, part, parts):
    """Return where one of the parts of a range starts and where it ends, in blocks of 16, or of 4 where those are too few."""
    block = 16 if extent >= 16 * parts else 4
    blocks = (extent + block - 1) // block
    return min(part * blocks // parts * block, extent), min((part + 1) * blocks // parts * block, extent)


@njit(cache=True, error_model="numpy")
def part_of(n, part, parts):
    """Return which share of n samples is in one of the parts, those from part · n / parts to (part + 1) · n / parts."""
    return ((part + 1) * n // parts - part * n // parts) / n


@njit(cache=True, error_model="numpy")
def mean_of_parts(values, n, mean):
    """Write the mean over n samples from those over the parts, which are the rows of values: added in order."""
    parts = values.shape[0]
    for k in range(mean.size):
        mean[k] = 0
    for part in range(parts):
        weight, own = values.dtype.type(part_of(n, part, parts)), row(values, part)
        for k in range(mean.size):
            mean[k] += weight * own[k]


@njit(cache=True, error_model="numpy")
def scale(values, factor):
    """Multiply every entry by a number."""
    flat, same = values.reshape(values.size), values.dtype.type(factor)
    for k in range(flat.size):
        flat[k] *= same


@intrinsic
def row(typingctx, a, m):
    """Return a[m] of a matrix whose rows lie side by side, as an array that Numba knows to be without gaps."""
    kind = types.Array(a.dtype, 1, "C", readonly=not a.mutable)

    def code(context, builder, signature, arguments):
        array = make_array(signature.args[0])(context, builder, arguments[0])
        rows_apart, _ = cgutils.unpack_tuple(builder, array.strides)
        _, columns = cgutils.unpack_tuple(builder, array.shape)
        whole = builder.ptrtoint(array.data, rows_apart.type)
        start = builder.add(whole, builder.mul(rows_apart, context.cast(builder, arguments[1], signature.args[1], types.intp)))
        made = make_array(kind)(context, builder)
        item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(a.dtype)))
        populate_array(
            made,
            data=builder.inttoptr(start, array.data.type),
            shape=cgutils.pack_array(builder, [columns]),
            strides=cgutils.pack_array(builder, [item]),
            itemsize=item,
            meminfo=None,  # nothing is counted: the matrix outlives its rows
        )
        return made._getvalue()

    return kind(a, m), code


if config.DISABLE_JIT:

    def row(a, m):
        """Return a[m]."""
        return a[m]



@njit(cache=True, error_model="numpy")
def four_rows(a_0, a_1, a_2, a_3, b, c_0, c_1, c_2, c_3):
    """Add Σ_k a_r[k] b[k, :] to c_r for four rows r, four k at a time."""
    whole = a_0.size // 4 * 4
    for k in range(0, whole, 4):
        p_00, p_01, p_02, p_03 = a_0[k], a_0[k + 1], a_0[k + 2], a_0[k + 3]
        p_10, p_11, p_12, p_13 = a_1[k], a_1[k + 1], a_1[k + 2], a_1[k + 3]
        p_20, p_21, p_22, p_23 = a_2[k], a_2[k + 1], a_2[k + 2], a_2[k + 3]
        p_30, p_31, p_32, p_33 = a_3[k], a_3[k + 1], a_3[k + 2], a_3[k + 3]
        b_0, b_1, b_2, b_3 = row(b, k), row(b, k + 1), row(b, k + 2), row(b, k + 3)
        for j in range(c_0.size):
            q_0, q_1, q_2, q_3 = b_0[j], b_1[j], b_2[j], b_3[j]
            c_0[j] = c_0[j] + p_00 * q_0 + p_01 * q_1 + p_02 * q_2 + p_03 * q_3
            c_1[j] = c_1[j] + p_10 * q_0 + p_11 * q_1 + p_12 * q_2 + p_13 * q_3
            c_2[j] = c_2[j] + p_20 * q_0 + p_21 * q_1 + p_22 * q_2 + p_23 * q_3
            c_3[j] = c_3[j] + p_30 * q_0 + p_31 * q_1 + p_32 * q_2 + p_33 * q_3
    for k in range(whole, a_0.size):
        p_0, p_1, p_2, p_3 = a_0[k], a_1[k], a_2[k], a_3[k]
        b_0 = row(b, k)
        for j in range(c_0.size):
            q = b_0[j]
            c_0[j] += p_0 * q
            c_1[j] += p_1 * q
            c_2[j] += p_2 * q
            c_3[j] += p_3 * q


@njit(cache=True, error_model="numpy")
def one_row(a_0, b, c_0):
    """Add Σ_k a_0[k] b[k, :] to c_0, in the order of four_rows."""
    for k in range(a_0.size):
        p = a_0[k]
        b_0 = row(b, k)
        for j in range(c_0.size):
            c_0[j] += p * b_0[j]


@njit(cache=True, error_model="numpy")
def some_rows(a, b, c):
    """Add Σ_k a[m, k] b[k, :] to c[m, :] for every m."""
    rows, depth = a.shape
    whole = rows // 4 * 4
    for start in range(0, depth, DEPTH):
        stop = min(start + DEPTH, depth)
        part = a[:, start:stop]
        below = b[start:stop]
        for m in range(0, whole, 4):
            four_rows(part[m], part[m + 1], part[m + 2], part[m + 3], below, row(c, m), row(c, m + 1), row(c, m + 2), row(c, m + 3))
        for m in range(whole, rows):
            one_row(part[m], below, row(c, m))


@njit(cache=True, error_model="numpy")
def clear(c):
    """Write zeros into c."""
    for m in range(c.shape[0]):
        part = row(c, m)
        for j in range(part.size):
            part[j] = 0


@njit(cache=True, error_model="numpy", parallel=True)
def all_rows(a, b, c):
    """Do some_rows for blocks of rows, shared among threads."""
    rows = c.shape[0]
    for block in prange((rows + ROWS - 1) // ROWS):
        first = block * ROWS
        stop = min(first + ROWS, rows)
        clear(c[first:stop])
        some_rows(a[first:stop], b, c[first:stop])


# The terms of one dot product may be added in any order: the compiler then adds vectors. NaN and infinity propagate all the same.


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def sixteen_dots(a_0, a_1, a_2, a_3, b_0, b_1, b_2, b_3, c_0, c_1, c_2, c_3):
    """Add Σ_k a_r[k] b_s[k] to c_r[s] for four r and four s."""
    s_00 = s_01 = s_02 = s_03 = s_10 = s_11 = s_12 = s_13 = a_0.dtype.type(0)
    s_20 = s_21 = s_22 = s_23 = s_30 = s_31 = s_32 = s_33 = a_0.dtype.type(0)
    for k in range(a_0.size):
        p_0, p_1, p_2, p_3 = a_0[k], a_1[k], a_2[k], a_3[k]
        q_0, q_1, q_2, q_3 = b_0[k], b_1[k], b_2[k], b_3[k]
        s_00, s_01, s_02, s_03 = s_00 + p_0 * q_0, s_01 + p_0 * q_1, s_02 + p_0 * q_2, s_03 + p_0 * q_3
        s_10, s_11, s_12, s_13 = s_10 + p_1 * q_0, s_11 + p_1 * q_1, s_12 + p_1 * q_2, s_13 + p_1 * q_3
        s_20, s_21, s_22, s_23 = s_20 + p_2 * q_0, s_21 + p_2 * q_1, s_22 + p_2 * q_2, s_23 + p_2 * q_3
        s_30, s_31, s_32, s_33 = s_30 + p_3 * q_0, s_31 + p_3 * q_1, s_32 + p_3 * q_2, s_33 + p_3 * q_3
    c_0[0], c_0[1], c_0[2], c_0[3] = c_0[0] + s_00, c_0[1] + s_01, c_0[2] + s_02, c_0[3] + s_03
    c_1[0], c_1[1], c_1[2], c_1[3] = c_1[0] + s_10, c_1[1] + s_11, c_1[2] + s_12, c_1[3] + s_13
    c_2[0], c_2[1], c_2[2], c_2[3] = c_2[0] + s_20, c_2[1] + s_21, c_2[2] + s_22, c_2[3] + s_23
    c_3[0], c_3[1], c_3[2], c_3[3] = c_3[0] + s_30, c_3[1] + s_31, c_3[2] + s_32, c_3[3] + s_33


@njit(cache=True, error_model="numpy", fastmath={"reassoc"})
def one_dot(a_0, b_0):
    """Return Σ_k a_0[k] b_0[k]."""
    s_0 = a_0.dtype.type(0)
    for k in range(a_0.size):
        s_0 += a_0[k] * b_0[k]
    return s_0


@njit(cache=True, error_model="numpy")
def some_row_products(a, b, c):
    """Add Σ_k a[m, k] b[n, k] to c[m, n] for every m and n."""
    rows, columns = c.shape
    tall, wide = rows // 4 * 4, columns // 4 * 4
    for m in range(0, tall, 4):
        for n in range(0, wide, 4):
            sixteen_dots(
                row(a, m), row(a, m + 1), row(a, m + 2), row(a, m + 3),
                row(b, n), row(b, n + 1), row(b, n + 2), row(b, n + 3),
                row(c, m)[n:], row(c, m + 1)[n:], row(c, m + 2)[n:], row(c, m + 3)[n:],
            )
    for m in range(rows):
        for n in range(wide if m < tall else 0, columns):
            row(c, m)[n] += one_dot(row(a, m), row(b, n))


# A step of 1 makes a strided array of any a, transposed or not, so that Numba compiles the loops once for both.


@njit(cache=True, error_model="numpy")
def product(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n]; the rows of b and c lie side by side."""
    clear(c[::1, ::1])
    some_rows(a[::1, ::1], b[::1, ::1], c[::1, ::1])


@njit(cache=True, error_model="numpy")
def add_product(a, b, c):
    """Add Σ_k a[m, k] b[k, n] to c[m, n]."""
    some_rows(a[::1, ::1], b[::1, ::1], c[::1, ::1])


@njit(cache=True, error_model="numpy")
def product_parallel(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n] with the rows shared among threads."""
    all_rows(a[::1, ::1], b[::1, ::1], c[::1, ::1])


@njit(cache=True, error_model="numpy")
def row_products(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[n, k]; the rows of all three lie side by side."""
    clear(c[::1, ::1])
    some_row_products(a[::1, ::1], b[::1, ::1], c[::1, ::1])


@njit(cache=True, error_model="numpy")
def add_row_products(a, b, c):
    """Add Σ_k a[m, k] b[n, k] to c[m, n]."""
    some_row_products(a[::1, ::1], b[::1, ::1], c[::1, ::1])


# Sums over windows. The last axis, n, is that of samples: they lie side by side. Two places belong together where
# first = (s, t, o) and second = (s', t', o') say so: y and u meet at s·y + t·u + o, x and v at s'·x + t'·v + o'. Terms whose place
# lies outside are left out.


@njit(cache=True, error_model="numpy")
def add_correlate(a, b, c, first, second):
    """Add Σ_{k, u, v} a[m, k, u, v] b[k, s·y + t·u + o, s'·x + t'·v + o', n] to c[m, y, x, n]."""
    for m in range(c.shape[0]):
        for k in range(b.shape[0]):
            for u in range(a.shape[2]):
                for v in range(a.shape[3]):
                    p = a[m, k, u, v]
                    for y in range(c.shape[1]):
                        i = first[0] * y + first[1] * u + first[2]
                        if 0 <= i < b.shape[1]:
                            for x in range(c.shape[2]):
                                j = second[0] * x + second[1] * v + second[2]
                                if 0 <= j < b.shape[2]:
                                    for n in range(c.shape[3]):
                                        c[m, y, x, n] += p * b[k, i, j, n]


@njit(cache=True, error_model="numpy")
def correlate(a, b, c, first, second):
    """Write c[m, y, x, n] = Σ_{k, u, v} a[m, k, u, v] b[k, s·y + t·u + o, s'·x + t'·v + o', n]."""
    c[:] = 0
    add_correlate(a, b, c, first, second)


@njit(cache=True, error_model="numpy")
def add_correlate_rows(a, b, c, first, second):
    """Add Σ_{y, x, n} a[m, y, x, n] b[k, s·y + t·u + o, s'·x + t'·v + o', n] to c[m, k, u, v]."""
    for m in range(c.shape[0]):
        for k in range(c.shape[1]):
            for u in range(c.shape[2]):
                for v in range(c.shape[3]):
                    total = c.dtype.type(0)
                    for y in range(a.shape[1]):
                        i = first[0] * y + first[1] * u + first[2]
                        if 0 <= i < b.shape[1]:
                            for x in range(a.shape[2]):
                                j = second[0] * x + second[1] * v + second[2]
                                if 0 <= j < b.shape[2]:
                                    for n in range(a.shape[3]):
                                        total += a[m, y, x, n] * b[k, i, j, n]
                    c[m, k, u, v] += total


@njit(cache=True, error_model="numpy")
def correlate_rows(a, b, c, first, second):
    """Write c[m, k, u, v] = Σ_{y, x, n} a[m, y, x, n] b[k, s·y + t·u + o, s'·x + t'·v + o', n]."""
    c[:] = 0
    add_correlate_rows(a, b, c, first, second)


@njit(cache=True, error_model="numpy")
def spread(a, b, c, first, second):
    """Write c[k, i, j, n] = Σ a[m, k, u, v] b[m, y, x, n] over all m, y, x, u, v with i = s·y + t·u + o and j = s'·x + t'·v + o'."""
    c[:] = 0
    for k in range(c.shape[0]):
        for m in range(b.shape[0]):
            for u in range(a.shape[2]):
                for v in range(a.shape[3]):
                    p = a[m, k, u, v]
                    for y in range(b.shape[1]):
                        i = first[0] * y + first[1] * u + first[2]
                        if 0 <= i < c.shape[1]:
                            for x in range(b.shape[2]):
                                j = second[0] * x + second[1] * v + second[2]
                                if 0 <= j < c.shape[2]:
                                    for n in range(b.shape[3]):
                                        c[k, i, j, n] += p * b[m, y, x, n]


# Functions without branches, put where they are called, so that loops over them become vectors. log(2) is split in two: its first
# part times a whole number is exact.

real_32 = np.float32


@intrinsic
def bits_32(typingctx, k):
    """Return the real number that has the bits of an integer."""

    def code(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), code


if config.DISABLE_JIT:

    def bits_32(k):
        """Return the real number that has the bits of an integer."""
        return k.view(real_32)


@njit(cache=True, error_model="numpy", forceinline=True)
def power_32(k):
    """Return 2ᵏ for a whole number k between -126 and 127."""
    return bits_32(np.int32(np.int32(k + np.int32(127)) << np.int32(23)))


@njit(cache=True, error_model="numpy", forceinline=True)
def reduced_32(x):
    """Return n and q with exp(x) = 2ⁿ (1 + q), for x so far from 0 that exp(x) is neither 0 nor infinite."""
    # Adding and subtracting 1.5 · 2ᵐ, m the bits of the mantissa, rounds to a whole number.
    n = (x * real_32(1.4426950408889634) + real_32(12582912.0)) - real_32(12582912.0)
    r = (x - n * real_32(0.693359375)) - n * real_32(math.log(2) - 0.693359375)
    # The series of exp(r) − 1; |r| ≤ log(2)/2, so what is left out is below the last bit.
    q = real_32(1 / 5040)
    q = q * r + real_32(1 / 720)
    q = q * r + real_32(1 / 120)
    q = q * r + real_32(1 / 24)
    q = q * r + real_32(1 / 6)
    q = q * r + real_32(1 / 2)
    q = q * r + real_32(1)
    return np.int32(n), q * r


@njit(cache=True, error_model="numpy", forceinline=True)
def exp_32(x):
    """Return eˣ."""
    y = x if x > real_32(-104.0) else real_32(-104.0)
    y = y if y < real_32(89.0) else real_32(89.0)
    n, q = reduced_32(y)
    # In two factors, so that numbers below the smallest normal one and infinity come out by themselves.
    half = n >> np.int32(1)
    value = (q + real_32(1)) * power_32(half) * power_32(n - half)
    return x if x != x else value


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_32(x):
    """Return tanh x = −e/(2 + e) with e = exp(−2|x|) − 1, which loses nothing near 0."""
    y = real_32(-2) * abs(x)
    y = y if y > real_32(-46) else real_32(-46)
    n, q = reduced_32(y)
    power = power_32(n)
    e = power * q + (power - real_32(1))
    value = math.copysign(-e / (e + real_32(2)), x)
    return x if x != x else value


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_32(x):
    """Return 1/(1 + e⁻ˣ), without overflow."""
    small = exp_32(-abs(x))
    return (small if x < real_32(0) else real_32(1)) / (small + real_32(1))


real_64 = np.float64


@intrinsic
def bits_64(typingctx, k):
    """Return the real number that has the bits of an integer."""

    def code(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), code


if config.DISABLE_JIT:

    def bits_64(k):
        """Return the real number that has the bits of an integer."""
        return k.view(real_64)


@njit(cache=True, error_model="numpy", forceinline=True)
def power_64(k):
    """Return 2ᵏ for a whole number k between -1022 and 1023."""
    return bits_64(np.int64(np.int64(k + np.int64(1023)) << np.int64(52)))


@njit(cache=True, error_model="numpy", forceinline=True)
def reduced_64(x):
    """Return n and q with exp(x) = 2ⁿ (1 + q), for x so far from 0 that exp(x) is neither 0 nor infinite."""
    # Adding and subtracting 1.5 · 2ᵐ, m the bits of the mantissa, rounds to a whole number.
    n = (x * real_64(1.4426950408889634) + real_64(6755399441055744.0)) - real_64(6755399441055744.0)
    r = (x - n * real_64(6.93147180369123816490e-01)) - n * real_64(1.90821492927058770002e-10)
    # The series of exp(r) − 1; |r| ≤ log(2)/2, so what is left out is below the last bit.
    q = real_64(1 / 6227020800)
    q = q * r + real_64(1 / 479001600)
    q = q * r + real_64(1 / 39916800)
    q = q * r + real_64(1 / 3628800)
    q = q * r + real_64(1 / 362880)
    q = q * r + real_64(1 / 40320)
    q = q * r + real_64(1 / 5040)
    q = q * r + real_64(1 / 720)
    q = q * r + real_64(1 / 120)
    q = q * r + real_64(1 / 24)
    q = q * r + real_64(1 / 6)
    q = q * r + real_64(1 / 2)
    q = q * r + real_64(1)
    return np.int64(n), q * r


@njit(cache=True, error_model="numpy", forceinline=True)
def exp_64(x):
    """Return eˣ."""
    y = x if x > real_64(-746.0) else real_64(-746.0)
    y = y if y < real_64(710.0) else real_64(710.0)
    n, q = reduced_64(y)
    # In two factors, so that numbers below the smallest normal one and infinity come out by themselves.
    half = n >> np.int64(1)
    value = (q + real_64(1)) * power_64(half) * power_64(n - half)
    return x if x != x else value


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_64(x):
    """Return tanh x = −e/(2 + e) with e = exp(−2|x|) − 1, which loses nothing near 0."""
    y = real_64(-2) * abs(x)
    y = y if y > real_64(-104) else real_64(-104)
    n, q = reduced_64(y)
    power = power_64(n)
    e = power * q + (power - real_64(1))
    value = math.copysign(-e / (e + real_64(2)), x)
    return x if x != x else value


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_64(x):
    """Return 1/(1 + e⁻ˣ), without overflow."""
    small = exp_64(-abs(x))
    return (small if x < real_64(0) else real_64(1)) / (small + real_64(1))
