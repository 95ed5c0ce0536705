"""Matrix products and functions for the kernels beside this file: loops that Numba vectorises, without BLAS.

How they are compiled and how they get at memory stands first.

Every entry is summed in the same order for any number of threads, so the results never depend on it. The loops run over
slices from 0 on: Numba then knows that no index is negative, which doubles their speed.
"""

import ctypes
import math
from fractions import Fraction

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



# Functions without branches and without calls, put where they are called, so that loops over them become vectors. They are
# computed from sums and products rounded once, so the bits are the same on every machine. NaN passes through; what is below the
# smallest normal number, and zeros with their sign, are as in C. The largest error over all numbers is given in ulp, units of the
# last place of the result; the coefficients are those of the least polynomials that keep it.


@intrinsic
def fma(typingctx, a, b, c):
    """Return a b + c, rounded once."""

    def code(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return (a(a, b, c), code) if a == b == c else None


@intrinsic
def series(typingctx, t, c):
    """Return c[0] + c[1] t + c[2] t² + …, rounded once a term."""

    def code(context, builder, signature, arguments):
        t, c = arguments
        total = builder.extract_value(c, c.type.count - 1)
        for k in range(c.type.count - 2, -1, -1):
            total = builder.fma(total, t, builder.extract_value(c, k))
        return total

    return t(t, c), code


#: Type of the integers with the bits of a real number, bits of its mantissa, and its exponent's number for 2⁰.
LAYOUT = {types.float32: (types.int32, 23, 127), types.float64: (types.int64, 52, 1023)}


def middle(mantissa):
    """Return 1.5 · 2ᵐ, m the bits of the mantissa: a number that is added to this is rounded to a whole one."""
    return 1.5 * 2.0**mantissa


def high_bits(context, builder, kind, n):
    """Write the code of the real number 2ⁿ for an integer n."""
    _, mantissa, bias = LAYOUT[kind]
    moved = builder.shl(builder.add(n, n.type(bias)), n.type(mantissa))
    return builder.bitcast(moved, context.get_value_type(kind))


def whole(context, builder, kind, t):
    """Write the code of the integer n for the real number n + 1.5 · 2ᵐ."""
    integer, mantissa, bias = LAYOUT[kind]
    n = context.get_value_type(integer)
    return builder.sub(builder.bitcast(t, n), n(((bias + mantissa) << mantissa) + (1 << (mantissa - 1))))


@intrinsic
def power_of_two(typingctx, t):
    """Return 2ⁿ for t = n + 1.5 · 2ᵐ, where that is a normal number."""

    def code(context, builder, signature, arguments):
        return high_bits(context, builder, t, whole(context, builder, t, arguments[0]))

    return t(t), code


@intrinsic
def scaled(typingctx, x, t):
    """Return 2ⁿ x for t = n + 1.5 · 2ᵐ, in two steps: what is too large or too small for a normal number comes out right."""

    def code(context, builder, signature, arguments):
        n = whole(context, builder, t, arguments[1])
        half = builder.ashr(n, n.type(1))
        part = builder.fmul(arguments[0], high_bits(context, builder, t, half))
        return builder.fmul(part, high_bits(context, builder, t, builder.sub(n, half)))

    return x(x, t), code


@intrinsic
def exponent_and_rest(typingctx, x):
    """Return k and m with x = 2ᵏ m and √½ ≤ m < √2, for a normal number x > 0."""
    integer, mantissa, bias = LAYOUT[x]
    root = int(np.sqrt(0.5).view(np.int64) if x == types.float64 else np.sqrt(np.float32(0.5)).view(np.int32))

    def code(context, builder, signature, arguments):
        n, real = context.get_value_type(integer), context.get_value_type(x)
        bits = builder.bitcast(arguments[0], n)
        k = builder.ashr(builder.sub(bits, n(root)), n(mantissa))
        m = builder.bitcast(builder.sub(bits, builder.shl(k, n(mantissa))), real)
        # The other way round from a real number to a whole one.
        shifted = builder.bitcast(builder.add(k, n(((bias + mantissa) << mantissa) + (1 << (mantissa - 1)))), real)
        return context.make_tuple(builder, signature.return_type, [builder.fsub(shifted, real(middle(mantissa))), m])

    return types.UniTuple(x, 2)(x), code


if config.DISABLE_JIT:

    def fma(a, b, c):
        """Return a b + c, rounded once."""
        kind = type(a)
        if kind == np.float32:
            return kind(np.float64(a) * np.float64(b) + np.float64(c))
        if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(c)):
            return kind(a * b + c)
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        try:
            return kind(exact) if exact else kind(a * b + c)
        except OverflowError:
            return kind(np.inf if exact > 0 else -np.inf)

    def series(t, c):
        """Return c[0] + c[1] t + c[2] t² + …, rounded once a term."""
        total = c[-1]
        for part in c[-2::-1]:
            total = fma(type(t)(total), t, type(t)(part))
        return total

    def exponent_of(t):
        """Return the integer n for the real number n + 1.5 · 2ᵐ."""
        return int(t - middle(np.finfo(type(t)).nmant)) if np.isfinite(t) else 0

    def power_of_two(t):
        """Return 2ⁿ for t = n + 1.5 · 2ᵐ."""
        return type(t)(np.ldexp(type(t)(1), exponent_of(t)))

    def scaled(x, t):
        """Return 2ⁿ x for t = n + 1.5 · 2ᵐ."""
        return type(x)(np.ldexp(x, exponent_of(t)))

    def exponent_and_rest(x):
        """Return k and m with x = 2ᵏ m and √½ ≤ m < √2, for a normal number x > 0."""
        m, k = np.frexp(x)
        low = m < type(x)(np.sqrt(0.5))
        return type(x)(k - low), type(x)(m * 2 if low else m)


@intrinsic
def bit(typingctx, t, k):
    """Return whether bit k of n is set, for t = n + 1.5 · 2ᵐ."""

    def code(context, builder, signature, arguments):
        n = whole(context, builder, t, arguments[0])
        one = builder.and_(builder.lshr(n, context.cast(builder, arguments[1], signature.args[1], LAYOUT[t][0])), n.type(1))
        return builder.icmp_unsigned("!=", one, n.type(0))

    return types.boolean(t, k), code


@intrinsic
def root(typingctx, x):
    """Return √x."""

    def code(context, builder, signature, arguments):
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [arguments[0].type]), arguments)

    return x(x), code


@intrinsic
def signed(typingctx, x, y):
    """Return |x| with the sign of y."""

    def code(context, builder, signature, arguments):
        real = arguments[0].type
        return builder.call(builder.module.declare_intrinsic("llvm.copysign", [real], ir.FunctionType(real, [real, real])), arguments)

    return x(x, y), code


@intrinsic
def nearest(typingctx, x):
    """Return the nearest whole number."""

    def code(context, builder, signature, arguments):
        return builder.call(builder.module.declare_intrinsic("llvm.rint", [arguments[0].type]), arguments)

    return x(x), code


@intrinsic
def row_of_turns(typingctx, x):
    """Return k = ⌊(e − 52)/24⌋ for a number between 2ᵉ and 2ᵉ⁺¹, so that 2⁻²⁴ᵏ x is whole; 0 for smaller ones."""

    def code(context, builder, signature, arguments):
        n = context.get_value_type(types.int64)
        e = builder.sub(builder.and_(builder.lshr(builder.bitcast(arguments[0], n), n(52)), n(2047)), n(1023 + 52))
        e = builder.select(builder.icmp_signed(">", e, n(0)), e, n(0))
        # 2731/2¹⁶ is 1/24 for whole numbers as small as these.
        return builder.lshr(builder.mul(e, n(2731)), n(16))

    return types.uint64(x), code


if config.DISABLE_JIT:

    def bit(t, k):
        """Return whether bit k of n is set, for t = n + 1.5 · 2ᵐ."""
        return exponent_of(t) >> k & 1 != 0

    def root(x):
        """Return √x."""
        return np.sqrt(x)

    def signed(x, y):
        """Return |x| with the sign of y."""
        return np.copysign(x, y)

    def nearest(x):
        """Return the nearest whole number."""
        return np.rint(x)

    def row_of_turns(x):
        """Return k = ⌊(e − 52)/24⌋ for a number between 2ᵉ and 2ᵉ⁺¹, so that 2⁻²⁴ᵏ x is whole; 0 for smaller ones."""
        return max(0, int(np.frexp(x)[1]) - 53 if np.isfinite(x) else 0) // 24


#: 2²⁴ᵏ · 2/π without the multiples of four in it, in four parts: how many quarters of a turn 2²⁴ᵏ is.
TURNS = np.array(
    [
        (0.6366197723675814, -3.935735335036497e-17, -2.1442872565786008e-33, 1.6107127853188224e-49),
        (3.4308817435903483, 1.0190525440657723e-16, 5.2741774862309835e-33, 1.7638490920573916e-49),
        (0.08267188988231296, 2.8658837463471963e-18, -1.4725546006520646e-34, 9.812701206320003e-51),
        (0.1536837791107848, 1.1892889840965575e-17, 4.96479382107966e-35, -6.120035996925595e-52),
        (1.9578379245607584, 7.769584704001829e-17, 3.34906530821634e-33, -1.9473147087135764e-49),
        (1.7533475508910081, 4.945359371759062e-17, -2.4392277228547982e-34, -1.5344342211616349e-50),
        (2.584369436736104, -2.334345058404264e-17, 3.303739526491e-34, 7.68445489919835e-51),
        (0.26391994913991706, -1.8033816326250612e-18, 4.382920024302585e-35, -2.1829574792641354e-51),
        (1.9934294027905102, 7.468610146763042e-17, 2.6623537174486554e-33, 2.624290316405018e-50),
        (3.6713673931969564, 6.148660000304575e-17, 1.2106149311816487e-33, 7.749051578532592e-50),
        (3.771022268671211, 3.1974408518196914e-17, 1.933316664944157e-33, -5.582850001794793e-50),
        (3.1423069393038747, 3.40757809559927e-19, 2.1811641125971334e-35, -9.266377599989395e-52),
        (2.2589999958929963, 2.0697627390447952e-16, 5.762075507419365e-33, -6.278688914593106e-50),
        (2.87509591479651, -2.0024600182689472e-16, 9.468393190305644e-33, -2.8912512036835812e-50),
        (1.1832586418769218, -2.6133695546373006e-17, -2.102659325988091e-34, 1.2078730540667263e-50),
        (1.8186357612993729, -4.590714157462198e-17, -1.934068093039451e-33, 7.6008324938137915e-50),
        (0.9926440186547213, -1.0467525454342137e-17, 6.293270923234803e-34, -3.1076181173778906e-50),
        (3.1120782883944305, 3.0680630796137424e-17, 1.8510278886596526e-33, -1.6778312128319541e-49),
        (1.6533036535165209, -1.7603775800107138e-17, 1.2912555450892386e-33, 5.9401287241271615e-50),
        (0.5086358298388111, -4.2847068867568927e-17, -3.36116241813714e-34, 8.623377921681625e-51),
        (1.1825449776166452, 2.098179600458306e-18, -3.1428272666860984e-35, 1.3820409653673834e-51),
        (0.5191896222883812, -7.033502215243817e-18, 6.403915591779444e-34, 3.138382529637638e-50),
        (0.43809058505417375, 2.1783617394641677e-17, 8.881223436895315e-34, -6.352906041942405e-50),
        (0.3730202451277699, 2.0996935910926998e-17, -8.746273572497296e-35, 1.5869486335858938e-51),
        (1.2248815431988307, -8.388410436886892e-17, -1.3178845532633915e-33, 8.024134531623681e-50),
        (2.2246601120465233, 6.0690703087687e-17, 6.157403977292624e-33, 4.2588666683108084e-50),
        (3.2263887236763784, -2.812652713956606e-17, -2.5562317805561434e-35, -1.217864851646903e-51),
        (0.51708291423816, 4.3366518564549914e-17, -1.528756311547023e-33, 2.786694187649594e-50),
        (3.742083086428439, -1.1102949761532465e-16, 9.065069635060728e-33, -3.923274543984833e-49),
        (0.23095658980297892, -5.6344770751193876e-18, -3.7734214206176327e-34, -2.2573051833887096e-51),
        (0.5937479747445307, -1.1326197543405264e-17, -1.1043036108976403e-34, 4.586606918501064e-51),
        (2.021851535696504, 1.5753678350874356e-16, -2.2933955581990745e-34, 1.669852406306587e-50),
        (3.9343119588102495, 1.8211488159424886e-16, -1.0200119159100574e-32, 4.232982209733066e-49),
        (1.5443426624691952, 9.014106740466073e-17, 2.9417433818622883e-33, 1.214975692494432e-49),
        (2.426260782055405, 1.0815122415976191e-16, -4.8882699985166894e-33, -1.850062520908266e-49),
        (1.2128724548484004, 1.0144198875655323e-16, -4.2028473521770305e-33, -6.964346371946159e-50),
        (3.155441863301598, -8.314819587895112e-18, -5.207463049859117e-35, 2.7482121952990456e-51),
        (1.7160533814227334, -1.1829963605724719e-18, -1.9602892328484868e-35, -1.2286098599953226e-51),
        (2.247659586350144, -1.5050191924639482e-16, -9.170524361583744e-34, 5.0557242617997325e-50),
        (2.374667016126959, 1.0993258256636853e-16, -1.1619223206402803e-33, -1.236475362670189e-50),
        (1.457637475785212, 2.0558554398611556e-17, 4.9571308478526475e-34, -1.196861860890493e-51),
    ]
).T.copy()



real_32 = np.float32
MIDDLE_32 = real_32(12582912.0)
ZERO_32, HALF_32, ONE_32, TWO_32 = real_32(0.0), real_32(0.5), real_32(1.0), real_32(2.0)
NAN_32, INFINITE_32 = real_32(np.nan), real_32(np.inf)
#: The smallest normal number, the largest one, and one so small that f(x) = x for every function with f(0) = 0 and f′(0) = 1.
LEAST_32, MOST_32 = real_32(1.1754943508222875e-38), real_32(3.4028234663852886e+38)
TINY_32 = real_32(9.313225746154785e-10)
#: log(2), in parts.
LOG_2_32 = (real_32(0.6931471824645996), real_32(-1.9046542121259336e-09))
#: π/2, in parts.
HALF_PI_32 = (real_32(1.5707963705062866), real_32(-4.371138828673793e-08))
# Polynomials, from the constant on, and the largest error that they leave, relative to the function.
#: exp(r) = 1 + r + r² p(r) for |r| ≤ log(2)/2: 2.7e-09.
EXP_32 = (
    real_32(0.5),
    real_32(0.1666666716337204),
    real_32(0.04166632890701294),
    real_32(0.008333221077919006),
    real_32(0.0013943195808678865),
    real_32(0.0001996173377847299),
)
#: log(1 + f) = f − f²/2 + f³ p(f) for √½ ≤ 1 + f ≤ √2: 2.9e-09.
LOG_32 = (
    real_32(0.3333331346511841),
    real_32(-0.25000008940696716),
    real_32(0.2000211775302887),
    real_32(-0.1666800081729889),
    real_32(0.1421956866979599),
    real_32(-0.12405518442392349),
    real_32(0.11887972056865692),
    real_32(-0.11675932258367538),
    real_32(0.06747373938560486),
)
#: erf(x) = x + x p(x²) for |x| ≤ 1: 2.5e-09.
ERF_NEAR_32 = (
    real_32(0.12837916612625122),
    real_32(-0.3761262595653534),
    real_32(0.1128358542919159),
    real_32(-0.026853812858462334),
    real_32(0.005188328679651022),
    real_32(-0.0008010210003703833),
    real_32(7.85393567639403e-05),
)
#: erf(x) = 1 − exp(−p(x)) for x ≥ 1: 4.8e-09.
ERF_FAR_32 = (
    real_32(0.0003419588028918952),
    real_32(1.1270873546600342),
    real_32(0.6381479501724243),
    real_32(0.10310394316911697),
    real_32(-0.021836666390299797),
    real_32(0.0029472941532731056),
    real_32(-0.0001863405341282487),
)
#: erfc(x) = exp(−x²) (5/4 + p(t))/(1 + 2x) with t = (x − 3)/(x + 3) for x ≥ 0: 6.0e-09.
ERFC_32 = (
    real_32(0.0030080601572990417),
    real_32(-0.13562114536762238),
    real_32(-0.04756249859929085),
    real_32(0.12964653968811035),
    real_32(-0.11926931142807007),
    real_32(0.06829605251550674),
    real_32(-0.02380628138780594),
    real_32(0.0025591354351490736),
    real_32(0.0020140516571700573),
    real_32(-0.0007563117542304099),
    real_32(-0.000259751541307196),
)
#: atan(x) = x + x z p(z) with z = x² for |x| ≤ 1: 7.5e-09.
ATAN_32 = (
    real_32(-0.33333298563957214),
    real_32(0.19998548924922943),
    real_32(-0.14264249801635742),
    real_32(0.10952232033014297),
    real_32(-0.08403590321540833),
    real_32(0.05796002969145775),
    real_32(-0.03118029423058033),
    real_32(0.010915922001004219),
    real_32(-0.0017939150566235185),
)
#: sin(r) = r + r z p(z) with z = r² for |r| ≤ π/4: 3.7e-09.
SIN_32 = (
    real_32(-0.1666666716337204),
    real_32(0.008333329111337662),
    real_32(-0.00019839311426039785),
    real_32(2.7181174573343014e-06),
)
#: cos(r) = 1 − z/2 + z² p(z) with z = r² for |r| ≤ π/4: 1.5e-10.
COS_32 = (
    real_32(0.04166664555668831),
    real_32(-0.0013887315290048718),
    real_32(2.4433085854980163e-05),
)


@njit(cache=True, error_model="numpy", forceinline=True)
def exp_32(x):
    """Return eˣ (1.0 ulp)."""
    y = real_32(-104.0) if x < real_32(-104.0) else x
    y = real_32(89.0) if y > real_32(89.0) else y
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    return scaled(fma(r * r, series(r, EXP_32), r) + ONE_32, t)


@njit(cache=True, error_model="numpy", forceinline=True)
def expm1_32(x):
    """Return eˣ − 1 = 2ⁿ − 1 + 2ⁿ (eʳ − 1), a quarter of it first, which never overflows (1.4 ulp)."""
    y = real_32(-18.0) if x < real_32(-18.0) else x
    y = real_32(89.0) if y > real_32(89.0) else y
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    nearly = fma(n, -LOG_2_32[0], y)
    r = fma(n, -LOG_2_32[1], nearly)
    rest = fma(n, -LOG_2_32[1], nearly - r)
    p = power_of_two(t - TWO_32)
    quarter = fma(p, fma(r * r, series(r, EXP_32), rest), fma(p, r, p - real_32(0.25)))
    return x if abs(x) < TINY_32 else real_32(4.0) * quarter


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_32(x):
    """Return tanh x = (1 − e)/(1 + e) with e = exp(−2|x|) = 2ⁿ (1 + q), where 1 − 2ⁿ loses nothing (2.3 ulp)."""
    y = -TWO_32 * abs(x)
    y = real_32(-46.0) if y < real_32(-46.0) else y
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    nearly = fma(n, -LOG_2_32[0], y)
    r = fma(n, -LOG_2_32[1], nearly)
    rest = fma(n, -LOG_2_32[1], nearly - r)
    p = power_of_two(t)
    q = fma(r * r, series(r, EXP_32), rest) + r
    return signed(fma(-p, q, ONE_32 - p) / (fma(p, q, p) + ONE_32), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_32(x):
    """Return 1/(1 + e⁻ˣ), without overflow (2.5 ulp)."""
    small = exp_32(-abs(x))
    return (small if x < ZERO_32 else ONE_32) / (small + ONE_32)


@njit(cache=True, error_model="numpy", forceinline=True)
def log_32(x):
    """Return log x (1.0 ulp)."""
    below = x < LEAST_32
    shift = real_32(-24.0) if below else ZERO_32
    factor = real_32(16777216.0) if below else ONE_32
    exponent, m = exponent_and_rest(x * factor)
    k = exponent + shift
    f = m - ONE_32
    z = f * f
    small = fma(k, LOG_2_32[1], z * f * series(f, LOG_32))
    value = fma(k, LOG_2_32[0], f + fma(-HALF_32, z, small))
    value = value if x <= MOST_32 else x
    value = NAN_32 if x < ZERO_32 else value
    return -INFINITE_32 if x == ZERO_32 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def log1p_32(x):
    """Return log(1 + x), with what 1 + x was rounded by (1.0 ulp)."""
    u = x + ONE_32
    rounded = ONE_32 - (u - x) if x > ONE_32 else x - (u - ONE_32)
    k, m = exponent_and_rest(u)
    p = power_of_two(MIDDLE_32 - (real_32(64.0) if k > real_32(64.0) else k))
    f = fma(rounded, p, m - ONE_32)
    d = fma(rounded, p, (m - ONE_32) - f)
    z = f * f
    small = fma(k, LOG_2_32[1], z * f * series(f, LOG_32) + d)
    value = fma(k, LOG_2_32[0], f + fma(-HALF_32, z, small))
    value = value if x <= MOST_32 else x
    value = NAN_32 if x < -ONE_32 else value
    value = -INFINITE_32 if x == -ONE_32 else value
    return x if abs(x) < TINY_32 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def softplus_32(x):
    """Return log(1 + eˣ) = max(x, 0) + log(1 + e) with e = exp(−|x|) (1.8 ulp)."""
    e = exp_32(-abs(x))
    large = e > real_32(0.41421356)
    k = ONE_32 if large else ZERO_32
    f = (HALF_32 if large else ONE_32) * (e - k)
    z = f * f
    small = fma(k, LOG_2_32[1], z * f * series(f, LOG_32))
    value = fma(k, LOG_2_32[0], f + fma(-HALF_32, z, small))
    return (x if x > ZERO_32 else ZERO_32) + value


@njit(cache=True, error_model="numpy", forceinline=True)
def erf_32(x):
    """Return erf x (1.0 ulp)."""
    size = abs(x)
    near = fma(x, series(x * x, ERF_NEAR_32), x)
    y = real_32(4.0) if size > real_32(4.0) else size
    y = -series(y, ERF_FAR_32)
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    p = power_of_two(t)
    far = fma(-p, fma(r * r, series(r, EXP_32), r), ONE_32 - p)
    return near if size < ONE_32 else signed(far, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def erfc_32(x):
    """Return 1 − erf x, which loses nothing for large x (3.2 ulp)."""
    size = abs(x)
    near = (ONE_32 - x) - x * series(x * x, ERF_NEAR_32)
    small = size < HALF_32
    size = real_32(10.2) if size > real_32(10.2) else size
    w = (real_32(1.25) + series((size - real_32(3.0)) / (size + real_32(3.0)), ERFC_32)) / fma(TWO_32, size, ONE_32)
    y = -(size * size)
    rounded = fma(size, size, y)
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    r = r - rounded
    value = scaled(fma(w, fma(r * r, series(r, EXP_32), r), w), t)
    value = TWO_32 - value if x < ZERO_32 else value
    return near if small else value


@njit(cache=True, error_model="numpy", forceinline=True)
def sinh_32(x):
    """Return sinh x = 2 (q + q/(4q + 1)) with 4q = exp|x| − 1 (2.3 ulp)."""
    size = abs(x)
    y = real_32(89.5) if size > real_32(89.5) else size
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    nearly = fma(n, -LOG_2_32[0], y)
    r = fma(n, -LOG_2_32[1], nearly)
    rest = fma(n, -LOG_2_32[1], nearly - r)
    p = power_of_two(t - TWO_32)
    quarter = fma(p, fma(r * r, series(r, EXP_32), rest), fma(p, r, p - real_32(0.25)))
    value = TWO_32 * (quarter + quarter / fma(real_32(4.0), quarter, ONE_32))
    return x if size < TINY_32 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def cosh_32(x):
    """Return cosh x = h + 1/(4h) with 2h = exp|x| (1.6 ulp)."""
    size = abs(x)
    y = real_32(89.5) if size > real_32(89.5) else size
    t = fma(y, real_32(1.4426950408889634), MIDDLE_32)
    n = t - MIDDLE_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    p = power_of_two(t - TWO_32)
    h = TWO_32 * fma(p, fma(r * r, series(r, EXP_32), r), p)
    return h + real_32(0.25) / h


@njit(cache=True, error_model="numpy", forceinline=True)
def asinh_32(x):
    """Return asinh x = log(1 + x + x²/(1 + √(1 + x²))), for large x log x + log 2 (2.0 ulp)."""
    size = abs(x)
    large = size > real_32(16777216.0)
    square = size * size
    more = size + square / (ONE_32 + root(square + ONE_32))
    value = log1p_32(size if large else more) + (LOG_2_32[0] if large else ZERO_32)
    return x if size < TINY_32 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def acosh_32(x):
    """Return acosh x = log(1 + s + √(s² + 2s)) with s = x − 1, for large x log x + log 2 (2.2 ulp)."""
    large = x > real_32(16777216.0)
    s = x - ONE_32
    more = s + root(fma(s, s, TWO_32 * s))
    value = log1p_32(x if large else more) + (LOG_2_32[0] if large else ZERO_32)
    return NAN_32 if x < ONE_32 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def atanh_32(x):
    """Return atanh x = log(1 + 2x/(1 − x))/2 for x ≥ 0 (2.2 ulp)."""
    size = abs(x)
    value = HALF_32 * log1p_32(TWO_32 * size / (ONE_32 - size))
    return x if size < TINY_32 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def atan_32(x):
    """Return atan x, which is π/2 − atan(1/x) for x > 1 (1.5 ulp)."""
    size = abs(x)
    large = size > ONE_32
    u = (ONE_32 if large else size) / (size if large else ONE_32)
    z = u * u
    value = fma(u * z, series(z, ATAN_32), u)
    value = HALF_PI_32[0] - (value - HALF_PI_32[1]) if large else value
    return signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def asin_32(x):
    """Return asin x = atan(x/√(1 − x²)) (2.7 ulp)."""
    return atan_32(x / root((ONE_32 - x) * (ONE_32 + x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def acos_32(x):
    """Return acos x = 2 atan √((1 − x)/(1 + x)) (2.4 ulp)."""
    return TWO_32 * atan_32(root((ONE_32 - x) / (ONE_32 + x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def turned_32(x):
    """Return t, r and d with x = n π/2 + r + d without whole turns, t = n + 1.5 · 2⁵², |r| ≤ π/4 and a small d, for every x."""
    # Three products in 64 bits with rows of TURNS are good for a number that is as close to a multiple of π/2 as can be.
    y = np.float64(x)
    size = abs(y)
    factor, first, second, third = 1.0, 0.6366197723675814, -3.935735335036497e-17, -2.1442872565786008e-33
    far = size >= 140737488355328.0
    factor, first = 5.960464477539063e-08 if far else factor, 3.4308817435903483 if far else first
    second, third = 1.0190525440657723e-16 if far else second, 5.2741774862309835e-33 if far else third
    far = size >= 2.3611832414348226e+21
    factor, first = 3.552713678800501e-15 if far else factor, 0.08267188988231296 if far else first
    second, third = 2.8658837463471963e-18 if far else second, -1.4725546006520646e-34 if far else third
    far = size >= 3.961408125713217e+28
    factor, first = 2.117582368135751e-22 if far else factor, 0.1536837791107848 if far else first
    second, third = 1.1892889840965575e-17 if far else second, 4.96479382107966e-35 if far else third
    far = size >= 6.64613997892458e+35
    factor, first = 1.262177448353619e-29 if far else factor, 1.9578379245607584 if far else first
    second, third = 7.769584704001829e-17 if far else second, 3.34906530821634e-33 if far else third
    y = y * factor
    quarters = y * first
    t = quarters + MIDDLE_64
    rest = fma(y, second, fma(y, third, fma(y, first, -quarters)))
    r = ((quarters - (t - MIDDLE_64)) + rest) * HALF_PI_64[0]
    return t, np.float32(r), np.float32(r - np.float64(np.float32(r)))


@njit(cache=True, error_model="numpy", forceinline=True)
def sine_32(r, d):
    """Return sin(r + d) for |r| ≤ π/4 and a small d."""
    z = r * r
    return fma(r * z, series(z, SIN_32), d) + r


@njit(cache=True, error_model="numpy", forceinline=True)
def cosine_32(r, d):
    """Return cos(r + d) for |r| ≤ π/4 and a small d."""
    z = r * r
    half = HALF_32 * z
    whole = ONE_32 - half
    return whole + (fma(z * z, series(z, COS_32), -r * d) + ((ONE_32 - whole) - half))


@njit(cache=True, error_model="numpy", forceinline=True)
def sin_32(x):
    """Return sin x (1.0 ulp)."""
    t, r, d = turned_32(x)
    even, odd = sine_32(r, d), cosine_32(r, d)
    value = odd if bit(t, 0) else even
    value = -value if bit(t, 1) else value
    return x if abs(x) < TINY_32 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def cos_32(x):
    """Return cos x (1.0 ulp)."""
    t, r, d = turned_32(x)
    even, odd = cosine_32(r, d), sine_32(r, d)
    value = odd if bit(t, 0) else even
    return -value if bit(t, 0) != bit(t, 1) else value


@njit(cache=True, error_model="numpy", forceinline=True)
def tan_32(x):
    """Return tan x (2.6 ulp)."""
    t, r, d = turned_32(x)
    above, below = sine_32(r, d), cosine_32(r, d)
    odd = bit(t, 0)
    value = (-below if odd else above) / (above if odd else below)
    return x if abs(x) < TINY_32 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def power_32(x, y):
    """Return xʸ; a negative x has real powers only for whole y (0.6 ulp)."""
    # In 64 bits the exponent y log x is right to more digits than the result has.
    a, b = np.float64(abs(x)), np.float64(y)
    exponent, m = exponent_and_rest(a)
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    u = b * fma(exponent, LOG_2_64[0], fma(s * z, series(z, LOG_64), s + s))
    u = -104.0 if u < -104.0 else u
    u = 89.0 if u > 89.0 else u
    value = real_32(exp_64(u))
    size = abs(x)
    zero, one = size == ZERO_32, size == ONE_32
    edge = INFINITE_32 if (size > ONE_32) == (y > ZERO_32) else ZERO_32
    value = edge if zero | (size > MOST_32) | (abs(y) > MOST_32) else value
    value = ONE_32 if one else value
    # For negative x: whole powers, of the sign of x if they are odd.
    is_whole = np.floor(y) == y
    is_odd = is_whole & (np.floor(HALF_32 * y) != HALF_32 * y)
    value = signed(value, x) if is_odd else value
    value = value if is_whole | (x >= ZERO_32) | (size > MOST_32) else NAN_32
    value = x + y if (x != x) | (y != y) else value
    return ONE_32 if (y == ZERO_32) | (x == ONE_32) else value


real_64 = np.float64
MIDDLE_64 = real_64(6755399441055744.0)
ZERO_64, HALF_64, ONE_64, TWO_64 = real_64(0.0), real_64(0.5), real_64(1.0), real_64(2.0)
NAN_64, INFINITE_64 = real_64(np.nan), real_64(np.inf)
#: The smallest normal number, the largest one, and one so small that f(x) = x for every function with f(0) = 0 and f′(0) = 1.
LEAST_64, MOST_64 = real_64(2.2250738585072014e-308), real_64(1.7976931348623157e+308)
TINY_64 = real_64(8.673617379884035e-19)
#: log(2), in parts.
LOG_2_64 = (real_64(0.6931471805599453), real_64(2.3190468138462996e-17))
#: π/2, in parts.
HALF_PI_64 = (real_64(1.5707963267948966), real_64(6.123233995736766e-17))
# Polynomials, from the constant on, and the largest error that they leave, relative to the function.
#: exp(r) = 1 + r + r² p(r) for |r| ≤ log(2)/2: 1.2e-17.
EXP_64 = (
    real_64(0.5000000000000001),
    real_64(0.1666666666666667),
    real_64(0.041666666666652294),
    real_64(0.008333333333326155),
    real_64(0.001388888889559636),
    real_64(0.00019841269874759776),
    real_64(2.480157453866557e-05),
    real_64(2.7557255467890377e-06),
    real_64(2.756792729469363e-07),
    real_64(2.5105191912813222e-08),
    real_64(1.7687549017773169e-09),
)
#: log(1 + f) = 2s + s z p(z) with s = f/(2 + f) and z = s², for √½ ≤ 1 + f ≤ √2: 1.9e-18.
LOG_64 = (
    real_64(0.6666666666666734),
    real_64(0.3999999999941432),
    real_64(0.2857142874246064),
    real_64(0.22222198566289308),
    real_64(0.18183564663137264),
    real_64(0.153140422354278),
    real_64(0.1479603181250917),
)
#: log(1 + f) = 2s + 2s z (1/3 + z p(z)) with s = f/(2 + f) and z = s², for √½ ≤ 1 + f ≤ √2: 1.1e-20.
POWER_64 = (
    real_64(0.1999999999999999),
    real_64(0.1428571428572255),
    real_64(0.11111111108769128),
    real_64(0.09090909435054713),
    real_64(0.0769227844212357),
    real_64(0.06668158467227735),
    real_64(0.058374139350034666),
    real_64(0.05994469453780963),
)
#: erf(x) = x + x p(x²) for |x| ≤ 1: 3.4e-17.
ERF_NEAR_64 = (
    real_64(0.12837916709551256),
    real_64(-0.3761263890318352),
    real_64(0.11283791670944181),
    real_64(-0.026866170643110934),
    real_64(0.005223977606114582),
    real_64(-0.000854832592914863),
    real_64(0.00012055293572474245),
    real_64(-1.492471222573148e-05),
    real_64(1.6447130722406402e-06),
    real_64(-1.6206307866472309e-07),
    real_64(1.3710957210607733e-08),
    real_64(-7.779429003745334e-10),
)
#: erf(x) = 1 − exp(−p(x)) for x ≥ 1: 3.2e-17.
ERF_FAR_64 = (
    real_64(5.030777975759947e-07),
    real_64(1.1283740872728611),
    real_64(0.6366436379819403),
    real_64(0.10270341210381213),
    real_64(-0.018990126367715073),
    real_64(-0.00041070159090735454),
    real_64(0.0019160219025869776),
    real_64(-0.0007707081705929951),
    real_64(0.00013509251972183728),
    real_64(2.0245092522691582e-05),
    real_64(-2.2813805422974114e-05),
    real_64(8.664416816738983e-06),
    real_64(-2.135005798167011e-06),
    real_64(3.731784340651939e-07),
    real_64(-4.64060122101298e-08),
    real_64(3.932682845518731e-09),
    real_64(-2.0440564912965385e-10),
    real_64(4.926210988045805e-12),
)
#: erfc(x) = exp(−x²) (5/4 + p(t))/(1 + 2x) with t = (x − 3)/(x + 3) for x ≥ 0: 1.7e-17.
ERFC_64 = (
    real_64(0.0030080582697296562),
    real_64(-0.13562110612458103),
    real_64(-0.047562294353452314),
    real_64(0.12964515870274337),
    real_64(-0.11927366341520926),
    real_64(0.06830802734462109),
    real_64(-0.023770514921052418),
    real_64(0.0025293918048718165),
    real_64(0.001888690388070569),
    real_64(-0.0007798321625364291),
    real_64(-0.00010515999390067468),
    real_64(0.0001250986910392479),
    real_64(4.9502580055883955e-06),
    real_64(-2.009798550038162e-05),
    real_64(-7.333409516837451e-07),
    real_64(3.465764935784712e-06),
    real_64(3.5917932020399644e-07),
    real_64(-6.05433102494751e-07),
    real_64(-1.4241681590001138e-07),
    real_64(8.994591072563225e-08),
    real_64(4.0049823303364226e-08),
    real_64(-6.079481115252193e-09),
    real_64(-6.165437717853901e-09),
    real_64(-9.307912142125321e-10),
)
#: atan(x) = x + x z p(z) with z = x² for |x| ≤ 1: 2.8e-17.
ATAN_64 = (
    real_64(-0.3333333333333307),
    real_64(0.19999999999951493),
    real_64(-0.14285714282576706),
    real_64(0.1111111100706756),
    real_64(-0.09090907003650157),
    real_64(0.07692279846339065),
    real_64(-0.06666404111144106),
    real_64(0.0588052811476841),
    real_64(-0.0525351982316047),
    real_64(0.04722326343918817),
    real_64(-0.04219189355622154),
    real_64(0.036642115232390714),
    real_64(-0.02990417156094573),
    real_64(0.0219852257044701),
    real_64(-0.013900900036547032),
    real_64(0.007196736704269272),
    real_64(-0.002885035152265921),
    real_64(0.0008313618730407086),
    real_64(-0.00015216928767683788),
    real_64(1.3225895126207548e-05),
)
#: sin(r) = r + r z p(z) with z = r² for |r| ≤ π/4: 1.1e-17.
SIN_64 = (
    real_64(-0.1666666666666663),
    real_64(0.008333333333322111),
    real_64(-0.0001984126982958409),
    real_64(2.755731361960712e-06),
    real_64(-2.505074748424332e-08),
    real_64(1.5896213465844375e-10),
)
#: cos(r) = 1 − z/2 + z² p(z) with z = r² for |r| ≤ π/4: 1.1e-18.
COS_64 = (
    real_64(0.041666666666666595),
    real_64(-0.0013888888888873051),
    real_64(2.480158728884861e-05),
    real_64(-2.7557314178293625e-07),
    real_64(2.0875700691932294e-09),
    real_64(-1.1358528086097621e-11),
)


@njit(cache=True, error_model="numpy", forceinline=True)
def exp_64(x):
    """Return eˣ (1.0 ulp)."""
    y = -746.0 if x < -746.0 else x
    y = 710.0 if y > 710.0 else y
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    return scaled(fma(r * r, series(r, EXP_64), r) + ONE_64, t)


@njit(cache=True, error_model="numpy", forceinline=True)
def expm1_64(x):
    """Return eˣ − 1 = 2ⁿ − 1 + 2ⁿ (eʳ − 1), a quarter of it first, which never overflows (1.2 ulp)."""
    y = -40.0 if x < -40.0 else x
    y = 710.0 if y > 710.0 else y
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    nearly = fma(n, -LOG_2_64[0], y)
    r = fma(n, -LOG_2_64[1], nearly)
    rest = fma(n, -LOG_2_64[1], nearly - r)
    p = power_of_two(t - TWO_64)
    quarter = fma(p, fma(r * r, series(r, EXP_64), rest), fma(p, r, p - 0.25))
    return x if abs(x) < TINY_64 else 4.0 * quarter


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_64(x):
    """Return tanh x = (1 − e)/(1 + e) with e = exp(−2|x|) = 2ⁿ (1 + q), where 1 − 2ⁿ loses nothing (2.0 ulp)."""
    y = -TWO_64 * abs(x)
    y = -104.0 if y < -104.0 else y
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    nearly = fma(n, -LOG_2_64[0], y)
    r = fma(n, -LOG_2_64[1], nearly)
    rest = fma(n, -LOG_2_64[1], nearly - r)
    p = power_of_two(t)
    q = fma(r * r, series(r, EXP_64), rest) + r
    return signed(fma(-p, q, ONE_64 - p) / (fma(p, q, p) + ONE_64), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_64(x):
    """Return 1/(1 + e⁻ˣ), without overflow (2.2 ulp)."""
    small = exp_64(-abs(x))
    return (small if x < ZERO_64 else ONE_64) / (small + ONE_64)


@njit(cache=True, error_model="numpy", forceinline=True)
def log_64(x):
    """Return log x (1.0 ulp)."""
    below = x < LEAST_64
    shift = -53.0 if below else ZERO_64
    factor = 9007199254740992.0 if below else ONE_64
    exponent, m = exponent_and_rest(x * factor)
    k = exponent + shift
    f = m - ONE_64
    s = f / (f + TWO_64)
    z = s * s
    half = HALF_64 * f * f
    small = fma(s, fma(z, series(z, LOG_64), half), k * LOG_2_64[1])
    value = fma(k, LOG_2_64[0], f - (half - small))
    value = value if x <= MOST_64 else x
    value = NAN_64 if x < ZERO_64 else value
    return -INFINITE_64 if x == ZERO_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def log1p_64(x):
    """Return log(1 + x), with what 1 + x was rounded by (1.0 ulp)."""
    u = x + ONE_64
    rounded = ONE_64 - (u - x) if x > ONE_64 else x - (u - ONE_64)
    k, m = exponent_and_rest(u)
    p = power_of_two(MIDDLE_64 - (64.0 if k > 64.0 else k))
    f = fma(rounded, p, m - ONE_64)
    d = fma(rounded, p, (m - ONE_64) - f)
    s = f / (f + TWO_64)
    z = s * s
    half = HALF_64 * f * f
    small = fma(s, fma(z, series(z, LOG_64), half), fma(k, LOG_2_64[1], d))
    value = fma(k, LOG_2_64[0], f - (half - small))
    value = value if x <= MOST_64 else x
    value = NAN_64 if x < -ONE_64 else value
    value = -INFINITE_64 if x == -ONE_64 else value
    return x if abs(x) < TINY_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def softplus_64(x):
    """Return log(1 + eˣ) = max(x, 0) + log(1 + e) with e = exp(−|x|) (1.5 ulp)."""
    e = exp_64(-abs(x))
    large = e > 0.41421356
    k = ONE_64 if large else ZERO_64
    f = (HALF_64 if large else ONE_64) * (e - k)
    s = f / (f + TWO_64)
    z = s * s
    half = HALF_64 * f * f
    small = fma(s, fma(z, series(z, LOG_64), half), k * LOG_2_64[1])
    value = fma(k, LOG_2_64[0], f - (half - small))
    return (x if x > ZERO_64 else ZERO_64) + value


@njit(cache=True, error_model="numpy", forceinline=True)
def erf_64(x):
    """Return erf x (1.0 ulp)."""
    size = abs(x)
    near = fma(x, series(x * x, ERF_NEAR_64), x)
    y = 6.0 if size > 6.0 else size
    y = -series(y, ERF_FAR_64)
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    p = power_of_two(t)
    far = fma(-p, fma(r * r, series(r, EXP_64), r), ONE_64 - p)
    return near if size < ONE_64 else signed(far, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def erfc_64(x):
    """Return 1 − erf x, which loses nothing for large x (2.5 ulp)."""
    size = abs(x)
    near = (ONE_64 - x) - x * series(x * x, ERF_NEAR_64)
    small = size < HALF_64
    size = 27.3 if size > 27.3 else size
    w = (1.25 + series((size - 3.0) / (size + 3.0), ERFC_64)) / fma(TWO_64, size, ONE_64)
    y = -(size * size)
    rounded = fma(size, size, y)
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    r = r - rounded
    value = scaled(fma(w, fma(r * r, series(r, EXP_64), r), w), t)
    value = TWO_64 - value if x < ZERO_64 else value
    return near if small else value


@njit(cache=True, error_model="numpy", forceinline=True)
def sinh_64(x):
    """Return sinh x = 2 (q + q/(4q + 1)) with 4q = exp|x| − 1 (2.3 ulp)."""
    size = abs(x)
    y = 710.5 if size > 710.5 else size
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    nearly = fma(n, -LOG_2_64[0], y)
    r = fma(n, -LOG_2_64[1], nearly)
    rest = fma(n, -LOG_2_64[1], nearly - r)
    p = power_of_two(t - TWO_64)
    quarter = fma(p, fma(r * r, series(r, EXP_64), rest), fma(p, r, p - 0.25))
    value = TWO_64 * (quarter + quarter / fma(4.0, quarter, ONE_64))
    return x if size < TINY_64 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def cosh_64(x):
    """Return cosh x = h + 1/(4h) with 2h = exp|x| (1.4 ulp)."""
    size = abs(x)
    y = 710.5 if size > 710.5 else size
    t = fma(y, real_64(1.4426950408889634), MIDDLE_64)
    n = t - MIDDLE_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    p = power_of_two(t - TWO_64)
    h = TWO_64 * fma(p, fma(r * r, series(r, EXP_64), r), p)
    return h + 0.25 / h


@njit(cache=True, error_model="numpy", forceinline=True)
def asinh_64(x):
    """Return asinh x = log(1 + x + x²/(1 + √(1 + x²))), for large x log x + log 2 (1.8 ulp)."""
    size = abs(x)
    large = size > 9007199254740992.0
    square = size * size
    more = size + square / (ONE_64 + root(square + ONE_64))
    value = log1p_64(size if large else more) + (LOG_2_64[0] if large else ZERO_64)
    return x if size < TINY_64 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def acosh_64(x):
    """Return acosh x = log(1 + s + √(s² + 2s)) with s = x − 1, for large x log x + log 2 (1.8 ulp)."""
    large = x > 9007199254740992.0
    s = x - ONE_64
    more = s + root(fma(s, s, TWO_64 * s))
    value = log1p_64(x if large else more) + (LOG_2_64[0] if large else ZERO_64)
    return NAN_64 if x < ONE_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def atanh_64(x):
    """Return atanh x = log(1 + 2x/(1 − x))/2 for x ≥ 0 (1.6 ulp)."""
    size = abs(x)
    value = HALF_64 * log1p_64(TWO_64 * size / (ONE_64 - size))
    return x if size < TINY_64 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def atan_64(x):
    """Return atan x, which is π/2 − atan(1/x) for x > 1 (1.5 ulp)."""
    size = abs(x)
    large = size > ONE_64
    u = (ONE_64 if large else size) / (size if large else ONE_64)
    z = u * u
    value = fma(u * z, series(z, ATAN_64), u)
    value = HALF_PI_64[0] - (value - HALF_PI_64[1]) if large else value
    return signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def asin_64(x):
    """Return asin x = atan(x/√(1 − x²)) (2.4 ulp)."""
    return atan_64(x / root((ONE_64 - x) * (ONE_64 + x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def acos_64(x):
    """Return acos x = 2 atan √((1 − x)/(1 + x)) (2.2 ulp)."""
    return TWO_64 * atan_64(root((ONE_64 - x) / (ONE_64 + x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def two_sum(a, b):
    """Return a + b and what it was rounded by."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@njit(cache=True, error_model="numpy", forceinline=True)
def modulo_four(x):
    """Return x less the multiple of four that is nearest to it."""
    return x - 4.0 * nearest(0.25 * x)


@njit(cache=True, error_model="numpy", forceinline=True)
def turned_64(x):
    """Return t, r and d with x = n π/2 + r + d without whole turns, t = n + 1.5 · 2⁵², |r| ≤ π/4 and a small d, for every x."""
    k = row_of_turns(x)
    y = x * power_of_two(MIDDLE_64 - 24.0 * np.float64(k))
    # y is whole where it is large, so that multiples of four quarters may be left out of every product, and of what it was
    # rounded by.
    first, second, third = y * TURNS[0, k], y * TURNS[1, k], y * TURNS[2, k]
    more, below = modulo_four(fma(y, TURNS[0, k], -first)), modulo_four(second)
    least = third + fma(y, TURNS[1, k], -second)
    lost = fma(y, TURNS[3, k], fma(y, TURNS[2, k], -third)) + ((third - least) + fma(y, TURNS[1, k], -second))
    first = modulo_four(first)
    a, a_2 = two_sum(more, below)
    b, b_2 = two_sum(first, a)
    t = b + MIDDLE_64
    c, c_2 = two_sum(b - (t - MIDDLE_64), b_2 + a_2)
    d, d_2 = two_sum(c, least)
    total, lost = two_sum(d, (c_2 + d_2) + lost)
    r = total * HALF_PI_64[0]
    return t, r, fma(total, HALF_PI_64[1], fma(lost, HALF_PI_64[0], fma(total, HALF_PI_64[0], -r)))


@njit(cache=True, error_model="numpy", forceinline=True)
def sine_64(r, d):
    """Return sin(r + d) for |r| ≤ π/4 and a small d."""
    z = r * r
    return fma(r * z, series(z, SIN_64), d) + r


@njit(cache=True, error_model="numpy", forceinline=True)
def cosine_64(r, d):
    """Return cos(r + d) for |r| ≤ π/4 and a small d."""
    z = r * r
    half = HALF_64 * z
    whole = ONE_64 - half
    return whole + (fma(z * z, series(z, COS_64), -r * d) + ((ONE_64 - whole) - half))


@njit(cache=True, error_model="numpy", forceinline=True)
def sin_64(x):
    """Return sin x (1.0 ulp)."""
    t, r, d = turned_64(x)
    even, odd = sine_64(r, d), cosine_64(r, d)
    value = odd if bit(t, 0) else even
    value = -value if bit(t, 1) else value
    return x if abs(x) < TINY_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def cos_64(x):
    """Return cos x (1.0 ulp)."""
    t, r, d = turned_64(x)
    even, odd = cosine_64(r, d), sine_64(r, d)
    value = odd if bit(t, 0) else even
    return -value if bit(t, 0) != bit(t, 1) else value


@njit(cache=True, error_model="numpy", forceinline=True)
def tan_64(x):
    """Return tan x (2.2 ulp)."""
    t, r, d = turned_64(x)
    above, below = sine_64(r, d), cosine_64(r, d)
    odd = bit(t, 0)
    value = (-below if odd else above) / (above if odd else below)
    return x if abs(x) < TINY_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def power_64(x, y):
    """Return xʸ; a negative x has real powers only for whole y (1.2 ulp)."""
    # log x in two parts of 64 bits.
    a = abs(x)
    below = a < LEAST_64
    exponent, m = exponent_and_rest(a * (9007199254740992.0 if below else 1.0))
    k = exponent - (53.0 if below else 0.0)
    # s = f/(2 + f) and what the quotient was rounded by.
    f, g = m - 1.0, m + 1.0
    s = f / g
    s_2 = fma(-s, m - (g - 1.0), fma(-s, g, f)) / g
    z = s * s
    z_2 = fma(2.0 * s, s_2, fma(s, s, -z))
    # 1/3 + z p(z).
    p = z * series(z, POWER_64)
    q = p + 0.3333333333333333
    q_2 = (0.3333333333333333 - q) + p + 1.850371707708594e-17
    # s z q.
    v = z * q
    v_2 = fma(z, q, -v) + fma(z, q_2, z_2 * q)
    w = s * v
    w_2 = fma(s, v, -w) + fma(s, v_2, s_2 * v)
    # k log 2 + 2 (s + s z q).
    h = s + w
    h_2 = ((s - h) + w) + (s_2 + w_2)
    l = k * LOG_2_64[0]
    l_2 = fma(k, LOG_2_64[0], -l)
    total = l + 2.0 * h
    part = total - l
    total_2 = ((l - (total - part)) + (2.0 * h - part)) + fma(k, LOG_2_64[1], fma(2.0, h_2, l_2))
    # The exponent, and eˣ of both of its parts.
    u = y * total
    u_2 = fma(y, total, -u) + y * total_2
    far = abs(u) > 800.0
    u_2 = 0.0 if far else u_2
    u = -746.0 if u < -746.0 else u
    u = 710.0 if u > 710.0 else u
    t = fma(u, 1.4426950408889634, MIDDLE_64)
    n = t - MIDDLE_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], u)) + u_2
    value = scaled(fma(r * r, series(r, EXP_64), r) + 1.0, t)
    size = abs(x)
    zero, one = size == ZERO_64, size == ONE_64
    edge = INFINITE_64 if (size > ONE_64) == (y > ZERO_64) else ZERO_64
    value = edge if zero | (size > MOST_64) | (abs(y) > MOST_64) else value
    value = ONE_64 if one else value
    # For negative x: whole powers, of the sign of x if they are odd.
    is_whole = np.floor(y) == y
    is_odd = is_whole & (np.floor(HALF_64 * y) != HALF_64 * y)
    value = signed(value, x) if is_odd else value
    value = value if is_whole | (x >= ZERO_64) | (size > MOST_64) else NAN_64
    value = x + y if (x != x) | (y != y) else value
    return ONE_64 if (y == ZERO_64) | (x == ONE_64) else value
