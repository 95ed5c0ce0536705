"""Products of matrices, sums over windows and functions for the kernels beside this file, without BLAS.

How they are compiled and how they get at memory stands first.

Products and windows are code for vectors: `product_32(a, b, c)` for numbers of 32 bits, `product_64` for 64, and so on, to be
imported by name. For each there are the same loops in Python, plain_…, which say what it does and stand for it where Numba is
switched off. Every entry is summed in an order of its own, so the results depend neither on the number of threads nor on what else
is computed in the same call.
"""

import ctypes
import math
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import _dynfunc, config, get_num_threads, prange, types
from numba.core import cgutils, sigutils
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary, get_host_cpu_features
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.errors import TypingError
from numba.core.imputils import impl_ret_borrowed
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.typed_passes import NativeLowering, NativeParforLowering
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array
from numba.parfors.parfor import Parfor
from numba.parfors.parfor_lowering import ParforLower

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


class LoopLibrary(JITCodeLibrary):
    """Code that Numba makes for a parallel loop: the loop's body and what calls it for a part of the range are pieces."""

    def finalize(self):
        """Link a piece; anything else is as ever."""
        loop = self.name.startswith(("__numba_parfor_gufunc", "<numba.np.ufunc.wrappers._Gufunc", "parallelgufuncwrapper"))
        (PieceLibrary if loop else JITCodeLibrary).finalize(self)


class LoopLower(ParforLower):
    """Numba's way to write a function with parallel loops. Loops would be optimized alone, for a part, and again here."""

    def lower_inst(self, inst):
        """Write a statement; a loop is compiled with the function around it."""
        if not isinstance(inst, Parfor):
            return super().lower_inst(inst)
        codegen, own = self.context.codegen(), inst.flags.no_compile
        before = codegen._library_class
        codegen._library_class, inst.flags.no_compile = LoopLibrary, True
        try:
            return super().lower_inst(inst)
        finally:
            codegen._library_class, inst.flags.no_compile = before, own


@register_pass(mutates_CFG=True, analysis_only=False)
class LoopLowering(NativeParforLowering):
    """Numba's last step for a function with parallel loops."""

    _name = "loop_lowering"

    @property
    def lowering_class(self):
        """What writes the code."""
        return LoopLower


class PieceOf:
    """A last step of Numba's, without machine code."""

    def run_pass(self, state):
        """Write the code of a piece."""
        context = state.targetctx
        state.library = PieceLibrary(context.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        made = state["cr"]
        if getattr(state.func_id.func, "once", False):
            state.library._get_module_for_linking().get_function(made.fndesc.llvm_func_name).add_function_attribute("noinline")
        # Never called: Numba knows a function by the object that Python would call.
        name = made.fndesc.qualname.split(".")[-1]
        never = _dynfunc.make_function(made.fndesc.lookup_module(), name, "", 0, made.env, (state.library,))
        context.insert_user_function(never, made.fndesc, [state.library])
        state["cr"] = made._replace(cfunc=never)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class PieceLowering(PieceOf, NativeLowering):
    """The last step of a piece."""

    _name = "piece_lowering"


@register_pass(mutates_CFG=True, analysis_only=False)
class PieceLoopLowering(PieceOf, LoopLowering):
    """The last step of a piece with parallel loops."""

    _name = "piece_loop_lowering"


def steps(state, last):
    """Return Numba's steps with others in the place of some."""
    found = DefaultPassBuilder.define_nopython_pipeline(state)
    found.passes = [(last.get(step, step), doc) for step, doc in found.passes]
    found.finalize()
    return [found]


class WholeCompiler(CompilerBase):
    """Numba's compiler for what Python calls."""

    def define_pipelines(self):
        """Return the steps."""
        return steps(self.state, {NativeParforLowering: LoopLowering})


class PieceCompiler(CompilerBase):
    """Numba's compiler for pieces."""

    def define_pipelines(self):
        """Return the steps."""
        return steps(self.state, {NativeLowering: PieceLowering, NativeParforLowering: PieceLoopLowering})


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

    def __init__(self, py_func, locals=None, targetoptions=None, pipeline_class=WholeCompiler, signature=None):
        self.made, self.wanted = None, signature
        super().__init__(py_func, locals, targetoptions, pipeline_class)

    @property
    def inner(self):
        """The piece; made when compiled code first calls it."""
        if self.made is None:
            self.made = PieceText(self.py_func, self.wanted, {**self.targetoptions, "no_cpython_wrapper": True, "no_cfunc_wrapper": True})
        return self.made

    @property
    def _numba_type_(self):
        return types.Dispatcher(self.inner)

    @property
    def _type(self):
        return self._numba_type_

    @_type.setter
    def _type(self, value):
        """Keep the type of the piece."""


def njit(signature=None, *, cache=False, parallel=False, once=False, **options):
    """Do numba.njit; of the function that comes out, compiled callers take the text and no machine code.

    One that is ``once`` stays a function: written into its callers, which know the sizes of what they pass, short loops around
    long ones would be written out.
    """

    def compiled(function):
        if config.DISABLE_JIT:
            return function
        function.once = once
        made = Piece(function, None, {"nopython": True, "boundscheck": None, "parallel": parallel, **options}, signature=signature)
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
        # A loop over a row of so many entries that LLVM can count becomes as many statements before it can become vectors.
        sizes[1:] = [builder.asm(ir.FunctionType(x.type, [x.type]), "", "=r,0", [x], False) for x in sizes[1:]]
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


@intrinsic(prefer_literal=True)
def transposed(typingctx, a, axes):
    """Return an array with its axes in another order; Numba's own transpose is far more code, for axes that are known when it runs."""
    if not (isinstance(axes, types.BaseTuple) and all(isinstance(axis, types.IntegerLiteral) for axis in axes)):
        return None
    order = [axis.literal_value for axis in axes]
    kind = a.copy(layout="A")

    def code(context, builder, signature, arguments):
        array, made = make_array(signature.args[0])(context, builder, arguments[0]), make_array(kind)(context, builder)
        shape, strides = (cgutils.unpack_tuple(builder, x) for x in (array.shape, array.strides))
        populate_array(
            made,
            data=array.data,
            shape=cgutils.pack_array(builder, [shape[axis] for axis in order]),
            strides=cgutils.pack_array(builder, [strides[axis] for axis in order]),
            itemsize=array.itemsize,
            meminfo=array.meminfo,
            parent=array.parent,
        )
        return impl_ret_borrowed(context, builder, kind, made._getvalue())

    return kind(a, axes), code


@intrinsic(prefer_literal=True)
def merged(typingctx, a, counts):
    """Return an array with so many axes as one, and so on; of those that become one, none but the first may have gaps."""
    if not (isinstance(counts, types.BaseTuple) and all(isinstance(count, types.IntegerLiteral) for count in counts)):
        return None
    lengths = [count.literal_value for count in counts]
    if sum(lengths) != a.ndim:
        raise TypingError(f"merged takes as many axes as there are, not {lengths} of {a}")
    kind = a.copy(ndim=len(lengths), layout="C" if a.layout == "C" else "A")

    def code(context, builder, signature, arguments):
        array, made = make_array(signature.args[0])(context, builder, arguments[0]), make_array(kind)(context, builder)
        sizes, steps = (cgutils.unpack_tuple(builder, x) for x in (array.shape, array.strides))
        shape, strides, stop = [], [], 0
        for length in lengths:
            size, stop = sizes[stop], stop + length
            for extent in sizes[stop - length + 1 : stop]:
                size = builder.mul(size, extent, flags=["nsw"])
            shape.append(size)
            strides.append(steps[stop - 1])
        populate_array(
            made,
            data=array.data,
            shape=cgutils.pack_array(builder, shape),
            strides=cgutils.pack_array(builder, strides),
            itemsize=array.itemsize,
            meminfo=array.meminfo,
            parent=array.parent,
        )
        return impl_ret_borrowed(context, builder, kind, made._getvalue())

    return kind(a, counts), code


@njit(cache=True, error_model="numpy")
def apart(a, b):
    """Whether two arrays of C order share no memory."""
    return a.ctypes.data + a.size * a.itemsize <= b.ctypes.data or b.ctypes.data + b.size * b.itemsize <= a.ctypes.data


@intrinsic
def copied(typingctx, a, k, b, m):
    """Write a[k] into b[m], arrays of C order with entries of one kind: as many bytes as lie from one k to the next."""
    if not (isinstance(a, types.Array) and isinstance(b, types.Array) and a.layout == b.layout == "C" and a.dtype == b.dtype):
        return None

    def code(context, builder, signature, arguments):
        addresses = []
        for kind, value, number in zip(signature.args[::2], arguments[::2], arguments[1::2], strict=True):
            array = make_array(kind)(context, builder, value)
            length = cgutils.unpack_tuple(builder, array.strides)[0]
            addresses.append(cgutils.pointer_add(builder, array.data, builder.mul(number, length)))
        cgutils.raw_memcpy(builder, addresses[1], addresses[0], length, 1)
        return context.get_dummy_value()

    return types.none(a, types.intp, b, types.intp), code


@njit(cache=True, error_model="numpy")
def chosen(a, places, b):
    """Write a[places[k]] into b[k] for every k, and return what is written of b."""
    for k in range(places.size):
        copied(a, places[k], b, k)
    return b[: places.size]


if config.DISABLE_JIT:

    def view(buffer, start, shape):
        """Return the part of a flat buffer that begins at an index, as an array of a shape."""
        return buffer[start : start + math.prod(shape)].reshape(shape)

    def transposed(a, axes):
        """Return an array with its axes in another order."""
        return a.transpose(axes)

    def copied(a, k, b, m):
        """Write a[k] into b[m]."""
        b[m] = a[k]

    def merged(a, counts):
        """Return an array with so many axes as one, and so on."""
        ends = [sum(counts[:k]) for k in range(len(counts) + 1)]
        return a.reshape([math.prod(a.shape[start:stop]) for start, stop in pairwise(ends)])

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
        weight, own = values.dtype.type(part_of(n, part, parts)), values[part]
        for k in range(mean.size):
            mean[k] += weight * own[k]


@njit(cache=True, error_model="numpy")
def scale(values, factor):
    """Multiply every entry by a number."""
    flat, same = values.reshape(values.size), values.dtype.type(factor)
    for k in range(flat.size):
        flat[k] *= same


# Code for vectors, in the terms of LLVM: addresses and distances are whole numbers, in bytes. What is written here is compiled once
# for each type of numbers; kernels call it by name.

#: Bytes of a vector: the widest of the processor that Numba compiles for.
FEATURES = (get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES).split(",")
WIDTH = 64 if "+avx512f" in FEATURES else 32 if "+avx2" in FEATURES else 16
INT = ir.IntType(64)


def bits(real):
    """Return how long a number of a type is."""
    return 32 if real == ir.FloatType() else 64


def integer(value):
    """Return a number as a constant."""
    return ir.Constant(INT, value)


def least(code, x, y):
    """Return the smaller of two numbers."""
    return code.select(code.icmp_signed("<", x, y), x, y)


def place(code, address, *steps):
    """Return an address moved by products of numbers."""
    for count, step in steps:
        address = code.add(address, code.mul(count, step))
    return address


class Vectors:
    """Vectors of one type of real numbers, at addresses that are whole numbers."""

    def __init__(self, code, real):
        self.code, self.real = code, real
        self.item = bits(real) // 8
        self.lanes = WIDTH // self.item
        self.kind = ir.VectorType(real, self.lanes)
        self.zero = ir.Constant(self.kind, None)

    def mask(self, lanes):
        """Return the mask of the first lanes."""
        small = ir.IntType(8 * self.item)
        numbers = ir.Constant(ir.VectorType(small, self.lanes), list(range(self.lanes)))
        return self.code.icmp_signed("<", numbers, self.spread(self.code.trunc(lanes, small) if self.item < 8 else lanes))

    def spread(self, value):
        """Return a vector of equal entries."""
        kind = ir.VectorType(value.type, self.lanes)
        alone = self.code.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return self.code.shuffle_vector(alone, alone, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), None))

    def call(self, name, kind, ending, *arguments):
        """Return the value of one of LLVM's own functions."""
        whole = f"llvm.{name}.v{self.lanes}f{8 * self.item}{ending}"
        made = cgutils.get_or_insert_function(self.code.module, ir.FunctionType(kind, [x.type for x in arguments]), whole)
        return self.code.call(made, arguments)

    def at(self, address, kind):
        return self.code.inttoptr(address, kind.as_pointer())

    def entry(self, address):
        """Return the number at an address."""
        return self.code.load(self.at(address, self.real), align=self.item)

    def load(self, address, mask=None):
        """Return the vector at an address, zero where the mask is."""
        pointer = self.at(address, self.kind)
        if mask is None:
            return self.code.load(pointer, align=self.item)
        return self.call("masked.load", self.kind, ".p0", pointer, ir.Constant(ir.IntType(32), self.item), mask, self.zero)

    def store(self, value, address, mask=None):
        """Write a vector, where the mask allows it."""
        pointer = self.at(address, self.kind)
        if mask is None:
            self.code.store(value, pointer, align=self.item)
            return
        self.call("masked.store", ir.VoidType(), ".p0", value, pointer, ir.Constant(ir.IntType(32), self.item), mask)

    def prefetch(self, address, write=False):
        """Ask for the line of the cache at an address; nothing is read, so that it may lie anywhere."""
        numbers = [ir.Constant(ir.IntType(32), x) for x in (int(write), 3 if write else 2, 1)]
        pointer = self.at(address, ir.IntType(8))
        kind = ir.FunctionType(ir.VoidType(), [x.type for x in (pointer, *numbers)])
        self.code.call(cgutils.get_or_insert_function(self.code.module, kind, "llvm.prefetch.p0"), (pointer, *numbers))

    def fma(self, x, y, z):
        """Return x y + z, rounded once where the processor can."""
        return self.call("fmuladd", self.kind, "", x, y, z)

    def zip(self, x, y):
        """Return the entries of two vectors in turn, as two vectors."""
        half = self.lanes // 2
        masks = ([p for k in range(half) for p in (k + start, k + start + self.lanes)] for start in (0, half))
        return [self.code.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), mask)) for mask in masks]

    def transposed(self, rows):
        """Return the columns of as many rows as there are lanes."""
        half = self.lanes // 2
        for _ in range(self.lanes.bit_length() - 1):
            rows = [z for x, y in zip(rows[:half], rows[half:], strict=True) for z in self.zip(x, y)]
        return rows

    def totals(self, vectors):
        """Return the sum of the lanes of each vector: the second half is added to the first, and so on."""
        groups, found = [vectors[k : k + self.lanes] for k in range(0, len(vectors), self.lanes)], []
        order = [int(f"{k + self.lanes:b}"[:0:-1], 2) for k in range(self.lanes)]
        for group in groups:
            count = len(group)
            for _ in range(self.lanes.bit_length() - 1):
                pairs = zip(group[::2], group[1::2] + group[-1:] * (len(group) % 2), strict=True)
                group = [self.code.fadd(*self.zip(x, y)) for x, y in pairs]
            found += [self.code.extract_element(group[0], ir.Constant(ir.IntType(32), order[k])) for k in range(count)]
        return found


#: How the names of functions start that the linker knows.
PREFIX = "symbackprop_"


def function(module, name, count, body):
    """Return the function of a name in a module, of whole numbers; body(code, *numbers) writes it, unless it is known already."""
    made = cgutils.get_or_insert_function(module, ir.FunctionType(ir.VoidType(), (INT,) * count), f"{PREFIX}{name}")
    if made.is_declaration and not llvm.address_of_symbol(made.name):
        code = ir.IRBuilder(made.append_basic_block())
        body(code, *made.args)
        code.ret_void()
    return made


def call(code, name, numbers):
    """Write the call of a function that is known by its name."""
    kind = ir.FunctionType(ir.VoidType(), (INT,) * len(numbers))
    code.call(cgutils.get_or_insert_function(code.module, kind, f"{PREFIX}{name}"), numbers)


def repeat(code, count, values, body):
    """Write a loop, values = body(index, values) for index = 0 … count − 1, and return the last values."""
    before, inside, after = code.block, code.append_basic_block(), code.append_basic_block()
    code.cbranch(code.icmp_signed(">", count, integer(0)), inside, after)
    code.position_at_end(inside)
    index, *carried = phis = [code.phi(x.type) for x in (count, *values)]
    made = [*(body(index, carried) or ())]
    following, last = code.add(index, integer(1)), code.block
    code.cbranch(code.icmp_signed("<", following, count), inside, after)
    for phi, first, later in zip(phis, (integer(0), *values), (following, *made), strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, last)
    code.position_at_end(after)
    results = [code.phi(x.type) for x in values]
    for phi, first, later in zip(results, values, made, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, last)
    return results


def nested(code, loops, addresses, values, body):
    """Write nested loops, (count, steps of the addresses) each, values = body(addresses, values) inside, and return the last values."""
    if not loops:
        return body(addresses, values)
    (count, *steps), *rest = loops

    def inside(_, carried):
        here = carried[: len(addresses)]
        made = nested(code, rest, here, carried[len(addresses) :], body)
        return [*(code.add(x, step) for x, step in zip(here, steps, strict=True)), *made]

    return repeat(code, count, (*addresses, *values), inside)[len(addresses) :]


def machine():
    """Return the processor that Numba compiles for."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    options = {"cpu": name, "features": features, "opt": 3, "reloc": "static" if "86" in triple.split("-")[0] else "default"}
    return llvm.Target.from_triple(triple).create_target_machine(**options, codemodel="jitdefault", jit=True)


def compiled(real, write):
    """Return the names and the machine code of functions for one type of numbers; there is nothing in them for LLVM to improve."""
    target, module = machine(), ir.Module()
    module.triple, module.data_layout = target.triple, str(target.target_data)
    write(module, real)
    names = [f.name for f in module.functions if not f.is_declaration]
    return names, target.emit_object(llvm.parse_assembly(str(module)))


def stored():
    """Return where Numba would keep what it compiles of this file; None where that is nowhere."""
    try:
        return FunctionCache(stored)._cache_file
    except (RuntimeError, OSError):
        return None


def ready(size, write):
    """Make functions known to the linker: compiled once, and kept on disk. Kernels call them by their names.

    The names are the same in every copy of this file: a function that takes other numbers or does something else needs another name.
    """
    mark = f"{PREFIX}{write.__name__}_{size}"
    if llvm.address_of_symbol(mark):
        return
    file, key, found = stored(), (mark, WIDTH, cpu_target.target_context.codegen().magic_tuple()), None
    if file is not None:
        with suppress(Exception):  # what cannot be read is made again
            found = file.load(key)
    if not found:
        found = compiled(ir.FloatType() if size == 32 else ir.DoubleType(), write)
        if file is not None:
            with suppress(OSError):
                file.save(key, found)
    names, code = found
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    for name in names:
        llvm.add_symbol(name, engine.get_function_address(name))
    llvm.add_symbol(mark, engine.get_function_address(names[0]))
    # Nothing may free what is known by its address.
    engine.detach()


# A strip is all rows of one, two or four columns of vectors of a result. It is done tile by tile, with a register for each row and column,
# to which every step of up to three nested loops adds (an entry of a) · (a vector of b). An entry of the result is a chain of such
# steps, or a sum of a few, always the same: its bits do not depend on what is computed with it.

#: Rows of a tile; the last rows of a strip are done by the lowest tile that has them, some of them twice if need be.
HEIGHTS = (4, 6, 8) if WIDTH == 64 or "+neon" in FEATURES else (2, 4, 6)
#: Rows of a tile that has four columns of vectors.
WIDE_HEIGHTS = (2, 4, 6) if WIDTH == 64 or "+neon" in FEATURES else (1, 2, 3)
#: Rows of a product that has fewer take four columns of vectors at once.
FEW = 16
#: Most steps of a product after which the next columns take their turn: as many rows of b as stay in the nearest cache.
DEPTH = 288
#: Rows of a result that are written when all their terms are added, where it is its transpose that is computed.
TALL = 512
#: How many long rows, and how many bytes of each, stay in the nearest cache while others pass by.
LONG_ROWS = (12, 3072)
#: Most bytes of the copy of a part of a whose rows would take each other's place in the nearest cache; it stays in the next one.
BLOCK = 5 * 2**17


def in_turn(code, rows, tile, heights=HEIGHTS):
    """Write the tiles of a strip: tile(height, first row, rows that are left, how many there are surely)."""
    low, middle, high = heights
    # One row or two beyond whole tiles are cheaper in two tiles, a middle and a low one, than in a high one and a low one.
    rest = code.srem(rows, integer(high))
    few = code.and_(code.icmp_signed("<=", rest, integer(middle + low - high)), code.icmp_signed(">", rows, integer(high)))
    few = code.and_(few, code.icmp_signed(">", rest, integer(0)))
    last = code.select(few, code.add(rest, integer(high)), rest)
    whole = code.sub(rows, last)
    # One row less than a high tile has is done by one: the last row of it is done twice.
    more = code.zext(code.icmp_signed("==", last, integer(high - 1)), INT)

    def highest(index):
        first = code.mul(index, integer(high))
        tile(high, first, code.sub(rows, first), high - 1)

    repeat(code, code.add(code.sdiv(whole, integer(high)), more), (), lambda index, _: highest(index))
    with code.if_then(code.and_(code.icmp_signed(">", last, integer(low)), code.icmp_signed("!=", last, integer(high - 1)))):
        tile(middle, whole, last, low + 1)
    start = code.select(few, code.add(whole, integer(middle)), whole)
    rest = code.sub(rows, start)
    with code.if_then(code.and_(code.icmp_signed(">", rest, integer(0)), code.icmp_signed("<=", rest, integer(low)))):
        tile(low, start, rest, 1)


def rows_at(code, start, step, height, high, sure=1):
    """Return the addresses of as many rows; where there are fewer, but for those that are surely there, the last one again and again."""
    found = [start]
    for r in range(1, height):
        below = code.add(found[-1], step)
        found.append(below if r < sure else code.select(code.icmp_signed("<", integer(r), high), below, found[-1]))
    return found


def strip(module, real, columns):
    """Return the function that does a strip: of two or four whole columns, or of one with a mask.

    It takes the address of a, the distance of its rows, their number; the address of b, the distance of its columns; the address
    of c, the distances of its rows and columns; the lanes of a masked column; whether to add to c; for each of three nested
    loops how often it runs, and the distances of its steps in a and b; and of four columns, how far the last two are from the
    first two, in b and c.
    """

    def body(code, a, a_row, rows, b, b_column, c, c_row, c_column, lanes, add, *loops):
        v = Vectors(code, real)
        mask = v.mask(lanes) if columns == 1 else None
        depths = [loops[:3], loops[3:6], loops[6:9]]

        def beside(address, step, far):
            """Return the addresses of the columns."""
            two = [address, code.add(address, step)][:columns]
            return two + [code.add(x, far) for x in two] if columns == 4 else two

        def tile(height, first, *high):
            a_at = rows_at(code, place(code, a, (first, a_row)), a_row, height, *high)
            c_rows = rows_at(code, place(code, c, (first, c_row)), c_row, height, *high)
            results = [address for row in c_rows for address in beside(row, c_column, loops[-1])]
            # What is added to, and written, comes while the terms are added up; around windows it is there.
            for address in results if columns < 4 else ():
                v.prefetch(address, True)

            def step(at, sums):
                vectors = [v.load(address, mask) for address in beside(at[1], b_column, loops[-2])]
                left = [v.spread(v.entry(code.add(address, at[0]))) for address in a_at for _ in vectors]
                return [v.fma(x, y, total) for x, y, total in zip(left, vectors * height, sums, strict=True)]

            sums = nested(code, depths, (integer(0), b), [v.zero] * (height * columns), step)
            before = code.block
            with code.if_then(code.icmp_signed("!=", add, integer(0))):
                more = [code.fadd(total, v.load(address, mask)) for total, address in zip(sums, results, strict=True)]
                there = code.block
            found = [code.phi(v.kind) for _ in sums]
            for phi, total, value in zip(found, sums, more, strict=True):
                phi.add_incoming(total, before)
                phi.add_incoming(value, there)
            for total, address in zip(found, results, strict=True):
                v.store(total, address, mask)

        in_turn(code, rows, tile, WIDE_HEIGHTS if columns == 4 else HEIGHTS)

    return function(module, f"strip_{bits(real)}_{columns}", 21 if columns == 4 else 19, body)


def copy(module, real):
    """Return the function that copies rows: from an address, by a distance; to an address, by a distance; how many, how long."""

    def body(code, source, source_row, to, to_row, rows, length):
        v = Vectors(code, real)
        lanes, side = integer(v.lanes), integer(v.lanes * v.item)
        whole = code.sdiv(length, lanes)
        rest = code.srem(length, lanes)
        mask = v.mask(rest)

        def row(_, at):
            def part(_, at):
                v.store(v.load(at[0]), at[1])
                return [code.add(x, side) for x in at]

            ends = repeat(code, whole, at, part)
            # What lies beside is copied next.
            for j in range(2):
                v.prefetch(place(code, ends[0], (integer(j), side)))
            with code.if_then(code.icmp_signed(">", rest, integer(0))):
                v.store(v.load(ends[0], mask), ends[1], mask)
            return code.add(at[0], source_row), code.add(at[1], to_row)

        repeat(code, rows, (source, to), row)

    return function(module, f"copy_{bits(real)}", 6, body)


def turn(module, real):
    """Return the function that writes the transpose of a matrix, square by square.

    It takes the address of the matrix and the distance of its rows, the same of its transpose, and how many rows of which length.
    """

    def body(code, source, source_row, to, to_row, rows, length):
        v = Vectors(code, real)
        lanes, side = integer(v.lanes), integer(WIDTH)
        counts = [blocks(code, x, lanes) for x in (rows, length)]

        def square(down, index):
            row, start = code.mul(down, lanes), code.mul(index, lanes)
            # Beyond the last row it is read, or written, again: in the end what belongs there.
            height, width = code.sub(rows, row), code.sub(length, start)
            across, upright = v.mask(width), v.mask(height)
            left = rows_at(code, place(code, source, (row, source_row), (index, side)), source_row, v.lanes, height)
            right = rows_at(code, place(code, to, (start, to_row), (down, side)), to_row, v.lanes, width)
            columns = v.transposed([v.load(address, across) for address in left])
            for address, column in zip(right[::-1], columns[::-1], strict=True):
                v.store(column, address, upright)

        repeat(code, counts[0], (), lambda down, _: repeat(code, counts[1], (), lambda index, _: square(down, index)))

    return function(module, f"turn_{bits(real)}", 6, body)


def blocks(code, length, size):
    """Return how many parts of a size a length has."""
    return code.sdiv(code.add(length, code.sub(size, integer(1))), size)


def depths(code, terms, most):
    """Return in how many layers a product is done, one at least, and how many terms each has, but for the last one."""
    count = blocks(code, terms, integer(most))
    count = code.select(code.icmp_signed("<", count, integer(1)), integer(1), count)
    return count, code.mul(blocks(code, terms, code.mul(count, integer(16))), integer(16))


def columns_of(code, real, numbers, width):
    """Write the strip of a panel: of two whole columns of vectors, or one after the other with a mask."""
    left, left_row, high, right, result, c_row, keep, loops = numbers
    v, module = Vectors(code, real), code.module
    side, lanes, both = integer(WIDTH), integer(v.lanes), integer(2 * v.lanes)

    def last(half):
        live = least(code, code.sub(width, code.mul(half, lanes)), lanes)
        x, y = (place(code, x, (half, side)) for x in (right, result))
        code.call(strip(module, real, 1), (left, left_row, high, x, side, y, c_row, side, live, keep, *loops))

    with code.if_else(code.icmp_signed("==", width, both)) as (then, otherwise):
        with then:
            code.call(strip(module, real, 2), (left, left_row, high, right, side, result, c_row, side, lanes, keep, *loops))
        with otherwise:
            repeat(code, blocks(code, width, lanes), (), lambda half, _: last(half))


def crossed(module, real):
    """Return the function that multiplies rows with rows by the transpose of the product, for which those of a are turned.

    It takes the addresses of a, b and c and the distances of their rows; the numbers of rows and columns of c, and of terms; and
    whether to add to c.
    """

    def body(code, a, a_row, b, b_row, c, c_row, rows, columns, terms, add):
        v = Vectors(code, real)
        one, none, item = integer(1), integer(0), integer(v.item)
        both, wide, tall = integer(2 * v.lanes), integer(2 * WIDTH), integer(TALL)
        panel, block = (code.ptrtoint(code.alloca(v.kind, 2 * size), INT) for size in (DEPTH, TALL))
        count, depth = depths(code, terms, DEPTH)

        def part(index, number):
            n, m = code.mul(index, tall), code.mul(number, both)
            high, width = least(code, code.sub(columns, n), tall), least(code, code.sub(rows, m), both)
            result = place(code, c, (m, c_row), (n, item))
            with code.if_then(code.icmp_signed("!=", add, none)):
                code.call(turn(module, real), (result, c_row, block, wide, width, high))

            def layer(number):
                k = code.mul(number, depth)
                deep = least(code, code.sub(terms, k), depth)
                code.call(turn(module, real), (place(code, a, (m, a_row), (k, item)), a_row, panel, wide, width, deep))
                keep = code.select(code.icmp_signed(">", number, none), one, add)
                loops = (one, none, none, one, none, none, deep, item, wide)
                columns_of(code, real, (place(code, b, (n, b_row), (k, item)), b_row, high, panel, block, wide, keep, loops), width)

            repeat(code, count, (), lambda number, _: layer(number))
            code.call(turn(module, real), (block, wide, result, c_row, high, width))

        parts = blocks(code, columns, tall)
        repeat(code, parts, (), lambda index, _: repeat(code, blocks(code, rows, both), (), lambda number, _: part(index, number)))

    return function(module, f"crossed_{bits(real)}", 10, body)


def dots(module, real, columns):
    """Return the function that does a strip of dot products: one, two or four columns of numbers, the terms of one beside another's.

    It takes what `strip` takes, with vectors of a in place of its entries, and adds the sums of their lanes. Where there is one
    column, its vectors have a mask.
    """

    def body(code, a, a_row, rows, b, b_column, c, c_row, c_column, lanes, add, *loops):
        v = Vectors(code, real)
        mask = v.mask(lanes) if columns == 1 else None
        depths = [loops[:3], loops[3:6], loops[6:]]

        def tile(height, first, *high):
            a_at = rows_at(code, place(code, a, (first, a_row)), a_row, height, *high)
            c_at = rows_at(code, place(code, c, (first, c_row)), c_row, height, *high)

            def step(at, sums):
                vectors = [v.load(place(code, at[1], (integer(j), b_column)), mask) for j in range(columns)]
                left = [x for address in a_at for x in [v.load(code.add(address, at[0]), mask)] * columns]
                return [v.fma(x, y, total) for x, y, total in zip(left, vectors * height, sums, strict=True)]

            sums = v.totals(nested(code, depths, (integer(0), b), [v.zero] * (height * columns), step))
            places = [v.at(place(code, row, (integer(j), c_column)), real) for row in c_at for j in range(columns)]
            before = [code.select(code.icmp_signed("!=", add, integer(0)), code.load(x), ir.Constant(real, 0)) for x in places]
            for address, total, more in zip(places, before, sums, strict=True):
                code.store(code.fadd(total, more), address)

        in_turn(code, rows, tile, WIDE_HEIGHTS if columns == 4 else HEIGHTS)

    return function(module, f"dots_{bits(real)}_{columns}", 19, body)


def multiply_long(module, real):
    """Return the function that multiplies long rows with rows; it takes what `multiply` takes.

    A few rows of the factor that has less stay in the nearest cache, while those of the other pass by, two at a time.
    """

    def body(code, a, a_row, a_column, b, b_row, c, c_row, rows, columns, terms, add):
        v = Vectors(code, real)
        with code.if_then(code.icmp_signed("!=", a_column, integer(v.item))):
            # What does not lie side by side is no vector.
            call(code, f"multiply_rows_{bits(real)}", (a, a_row, a_column, b, b_row, c, c_row, rows, columns, terms, add))
            code.ret_void()
        one, two, none, item, side = integer(1), integer(2), integer(0), integer(v.item), integer(WIDTH)
        lanes, few = integer(v.lanes), integer(LONG_ROWS[0])
        fewer = code.icmp_signed("<", rows, columns)
        pairs = ((a, b), (a_row, b_row), (rows, columns), (c_row, item))
        (a, b), (a_row, b_row), (rows, columns), (c_row, c_column) = (
            [code.select(fewer, x, y) for x, y in (pair, pair[::-1])] for pair in pairs
        )
        count, depth = depths(code, terms, LONG_ROWS[1] // v.item)

        def part(index, layer):
            m, k = code.mul(index, few), code.mul(layer, depth)
            high, deep = least(code, code.sub(rows, m), few), least(code, code.sub(terms, k), depth)
            keep = code.select(code.icmp_signed(">", layer, none), one, add)
            left, right, result = (place(code, x, *steps) for x, *steps in ((a, (m, a_row), (k, item)), (b, (k, item)), (c, (m, c_row))))
            whole = code.sdiv(deep, lanes)
            rest = code.srem(deep, lanes)

            def passing(number, step):
                n = code.mul(number, step)
                x, y = place(code, right, (n, b_row)), place(code, result, (n, c_column))
                return n, (left, a_row, high, x, b_row, y, c_row, c_column)

            def strips(number):
                n, numbers = passing(number, two)
                following = place(code, right, (code.add(n, two), b_row))

                def ask(index, _):
                    for j in range(2):
                        v.prefetch(place(code, following, (index, integer(64)), (integer(j), b_row)))

                repeat(code, code.sdiv(code.mul(deep, item), integer(64)), (), ask)
                loops = (one, none, none, one, none, none, whole, side, side)
                code.call(dots(module, real, 2), (*numbers, lanes, keep, *loops))

            def alone(number, start, live, steps, keep):
                _, (x, x_row, high, y, *places) = passing(number, one)
                x, y = (place(code, z, (start, side)) for z in (x, y))
                loops = (one, none, none, one, none, none, steps, side, side)
                code.call(dots(module, real, 1), (x, x_row, high, y, *places, live, keep, *loops))

            repeat(code, code.sdiv(columns, two), (), lambda number, _: strips(number))
            with code.if_then(code.icmp_signed("==", code.srem(columns, two), one)):
                alone(code.sub(columns, one), none, lanes, whole, keep)
            with code.if_then(code.icmp_signed(">", rest, none)):
                repeat(code, columns, (), lambda number, _: alone(number, whole, rest, one, one))

        parts = blocks(code, rows, few)
        repeat(code, parts, (), lambda index, _: repeat(code, count, (), lambda layer, _: part(index, layer)))

    return function(module, f"multiply_long_{bits(real)}", 11, body)


def multiply(module, real, turned):
    """Return the function that multiplies matrices, or where ``turned`` rows with rows.

    It takes the address of a and the distances of its rows and columns, addresses of b and c and the distances of their rows; the
    numbers of rows and columns of c, and of terms; and whether to add to c.
    """

    def body(code, a, a_row, a_column, b, b_row, c, c_row, rows, columns, terms, add):
        v = Vectors(code, real)
        one, none, item, side = integer(1), integer(0), integer(v.item), integer(v.lanes * v.item)
        lanes, both = integer(v.lanes), integer(2 * v.lanes)
        wide = code.add(side, side)
        panel, block = (code.ptrtoint(code.alloca(v.kind, size), INT) for size in (2 * DEPTH, BLOCK // WIDTH))

        def meets(step):
            """Whether entries at this distance take each other's place in the cache."""
            return code.and_(code.icmp_signed("==", code.and_(step, integer(4095)), none), code.icmp_signed("!=", step, none))

        def both_true(*conditions):
            found = conditions[0]
            for condition in conditions[1:]:
                found = code.and_(found, condition)
            return found

        upright = code.icmp_signed("==", a_row, item)
        level = code.icmp_signed("==", a_column, item)
        if turned:
            # Rows of either factor can be turned, those of a if that is less work: what a vector of columns takes is what is done
            # for each row, and about seven rows more for turning it.
            sizes = (rows, columns), (columns, rows)
            here, there = (code.mul(code.add(x, integer(7)), blocks(code, y, lanes)) for x, y in sizes)
            less = both_true(code.icmp_signed("<", there, here), code.icmp_signed(">=", rows, lanes))
            with code.if_then(both_true(less, level, code.icmp_signed("!=", b_row, none), code.not_(meets(b_row)))):
                code.call(crossed(module, real), (a, a_row, b, b_row, c, c_row, rows, columns, terms, add))
                code.ret_void()
        far = code.or_(both_true(upright, meets(a_column)), both_true(level, meets(a_row)))
        packed = both_true(far, code.icmp_signed(">=", columns, integer(128)), code.icmp_signed(">=", rows, integer(64)))
        tall = integer((BLOCK // v.item - 32 * DEPTH) // DEPTH // 8 * 8)
        some = code.select(code.icmp_signed("<", rows, one), one, rows)
        high = code.mul(blocks(code, some, code.mul(blocks(code, some, tall), integer(8))), integer(8))
        height = code.select(packed, high, some)
        count, depth = depths(code, terms, DEPTH)

        def part(index, layer):
            m, k = code.mul(index, height), code.mul(layer, depth)
            high, deep = least(code, code.sub(rows, m), height), least(code, code.sub(terms, k), depth)
            keep = code.select(code.icmp_signed(">", layer, none), one, add)
            start = place(code, a, (m, a_row), (k, a_column))
            # Rows of the copy are a vector further apart than they are long, so that they do not meet either.
            apart = place(code, side, (code.select(upright, tall, integer(DEPTH)), item))
            with code.if_then(packed):
                lines = [code.select(upright, x, y) for x, y in ((a_column, a_row), (deep, high), (high, deep))]
                code.call(copy(module, real), (start, lines[0], block, apart, lines[1], lines[2]))
            left = code.select(packed, block, start)
            left_row = code.select(packed, code.select(upright, item, apart), a_row)
            left_column = code.select(packed, code.select(upright, apart, item), a_column)

            done = none
            if not turned:
                # Few rows take more columns at once: every row of b may lie on a page of its own.
                fours = code.select(code.icmp_signed("<", high, integer(FEW)), code.sdiv(columns, integer(4 * v.lanes)), none)
                done = code.add(fours, fours)

                def wider(number):
                    n = code.mul(number, code.add(both, both))
                    right, result = place(code, b, (k, b_row), (n, item)), place(code, c, (m, c_row), (n, item))
                    loops = (one, none, none, one, none, none, deep, left_column, b_row, wide, wide)
                    code.call(strip(module, real, 4), (left, left_row, high, right, side, result, c_row, side, lanes, keep, *loops))

                repeat(code, fours, (), lambda number, _: wider(number))

            def panels(number):
                n = code.mul(code.add(number, done), both)
                width = least(code, code.sub(columns, n), both)
                whole = code.icmp_signed("==", width, both)
                result = place(code, c, (m, c_row), (n, item))
                if turned:
                    right, step = panel, wide
                    code.call(turn(module, real), (place(code, b, (n, b_row), (k, item)), b_row, panel, wide, width, deep))
                else:
                    source = place(code, b, (k, b_row), (n, item))
                    near = both_true(whole, meets(b_row), code.icmp_signed(">=", high, integer(64)))
                    with code.if_then(near):
                        code.call(copy(module, real), (source, b_row, panel, wide, deep, width))
                    right, step = code.select(near, panel, source), code.select(near, wide, b_row)
                loops = (one, none, none, one, none, none, deep, left_column, step)
                columns_of(code, real, (left, left_row, high, right, result, c_row, keep, loops), width)

            repeat(code, code.sub(blocks(code, columns, both), done), (), lambda number, _: panels(number))

        repeat(code, blocks(code, rows, height), (), lambda index, _: repeat(code, count, (), lambda layer, _: part(index, layer)))

    return function(module, f"multiply_{'rows' if turned else 'whole'}_{bits(real)}", 11, body)


def products(module, real):
    """Write all that products of matrices need."""
    multiply(module, real, False)
    multiply(module, real, True)


def long_products(module, real):
    """Write what products of long rows need besides."""
    multiply_long(module, real)


def matrices(name, kind, add):
    """Return what kernels call to multiply matrices."""

    def typed(typingctx, a, b, c):
        if not all(isinstance(x, types.Array) and x.ndim == 2 and x.dtype == c.dtype for x in (a, b, c)):
            raise TypingError(f"{name} takes three matrices of one type, not {a}, {b} and {c}")

        def code(context, builder, signature, arguments):
            ready(c.dtype.bitwidth, products)
            if kind == "long":
                ready(c.dtype.bitwidth, long_products)
            given = [make_array(t)(context, builder, x) for t, x in zip(signature.args, arguments, strict=True)]
            x, y, z = (builder.ptrtoint(array.data, INT) for array in given)
            (x_row, x_column), (y_row, _), (z_row, _) = (cgutils.unpack_tuple(builder, array.strides) for array in given)
            (_, terms), _, (rows, columns) = (cgutils.unpack_tuple(builder, array.shape) for array in given)
            numbers = (x, x_row, x_column, y, y_row, z, z_row, rows, columns, terms, integer(int(add)))
            call(builder, f"multiply_{kind}_{c.dtype.bitwidth}", numbers)
            return context.get_dummy_value()

        return types.none(a, b, c), code

    typed.__name__ = typed.__qualname__ = name
    return intrinsic(typed)


@njit(cache=True, error_model="numpy")
def plain_add_product(a, b, c):
    """Add Σ_k a[m, k] b[k, n] to c[m, n]; the rows of b and c lie side by side."""
    for m in range(c.shape[0]):
        for k in range(b.shape[0]):
            p = a[m, k]
            for n in range(c.shape[1]):
                c[m, n] += p * b[k, n]


@njit(cache=True, error_model="numpy")
def plain_product(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n]; the rows of b and c lie side by side."""
    c[:] = 0
    plain_add_product(a, b, c)


@njit(cache=True, error_model="numpy")
def plain_add_row_products(a, b, c):
    """Add Σ_k a[m, k] b[n, k] to c[m, n]; the rows of b and c lie side by side."""
    for m in range(c.shape[0]):
        for n in range(c.shape[1]):
            total = c[m, n]
            for k in range(b.shape[1]):
                total += a[m, k] * b[n, k]
            c[m, n] = total


@njit(cache=True, error_model="numpy")
def plain_row_products(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[n, k]; the rows of b and c lie side by side."""
    c[:] = 0
    plain_add_row_products(a, b, c)


product, add_product = plain_product, plain_add_product
row_products, add_row_products = plain_row_products, plain_add_row_products
long_row_products, add_long_row_products = plain_row_products, plain_add_row_products
if not config.DISABLE_JIT:
    product, add_product = matrices("product", "whole", False), matrices("add_product", "whole", True)
    row_products, add_row_products = matrices("row_products", "rows", False), matrices("add_row_products", "rows", True)
    long_row_products, add_long_row_products = matrices("long_row_products", "long", False), matrices("add_long_row_products", "long", True)


@njit(cache=True, error_model="numpy", parallel=True)
def product_parallel(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n] with the rows shared among threads."""
    for block in prange((c.shape[0] + 63) // 64):
        first = 64 * block
        product(a[first : first + 64], b, c[first : first + 64])


# Sums over windows. The last axis, n, is that of samples: they lie side by side. Two places belong together where
# first = (s, t, o) and second = (s', t', o') say so: y and u meet at s·y + t·u + o, x and v at s'·x + t'·v + o'. Terms whose place
# lies outside are left out.


#: Bytes of a part of a factor that stays in the nearest cache, and its rows: those of a tile of four columns, or of two.
LINES = 2**15
CHUNK = 6


def meeting(code, start, step, count, extent):
    """Return the first k of 0 … count − 1 for which 0 ≤ start + step · k < extent, and how many there are side by side."""
    none, one = integer(0), integer(1)

    def at_least_zero(x):
        return code.select(code.icmp_signed("<", x, none), none, x)

    up, level = code.icmp_signed(">", step, none), code.icmp_signed("==", step, none)
    inside = code.and_(code.icmp_signed(">=", start, none), code.icmp_signed("<", start, extent))
    size = code.select(up, step, code.select(level, one, code.neg(step)))
    low = code.select(up, code.neg(start), code.add(code.sub(start, extent), one))
    high = code.select(up, code.sub(extent, start), code.add(start, one))
    low, high = code.select(level, none, low), code.select(level, code.select(inside, count, none), high)
    low, high = (code.sdiv(code.add(at_least_zero(x), code.sub(size, one)), size) for x in (low, high))
    return low, at_least_zero(code.sub(least(code, high, count), low))


def contained(code, rule, taps, count, extent):
    """Return the first of the places 0 … count − 1 whose window lies inside from end to end, and how many there are side by side."""
    step, _, start = rule
    far = place(code, start, (rule[1], code.sub(taps, integer(1))))
    (one, ones), (other, others) = (meeting(code, x, step, count, extent) for x in (start, far))
    first = code.select(code.icmp_signed(">", one, other), one, other)
    size = code.sub(least(code, code.add(one, ones), code.add(other, others)), first)
    some = code.icmp_signed(">", size, integer(0))
    return code.select(some, first, integer(0)), code.select(some, size, integer(0))


def in_groups(code, span, sizes, body):
    """Write body(first place, number of places) for places of a range, in groups as large as they can be."""
    (at, count), (most, *others) = span, sizes
    groups = code.sdiv(count, integer(most))
    repeat(code, groups, (), lambda index, _: body(place(code, at, (index, integer(most))), most))
    at = place(code, at, (groups, integer(most)))
    for size in others:
        here = code.and_(count, integer(size))
        with code.if_then(code.icmp_signed(">", here, integer(0))):
            body(at, size)
        at = code.add(at, here)


def outside(code, span, count, body):
    """Write body(place) for those of 0 … count − 1 that are in no range."""
    first, size = span

    def one(index):
        body(code.select(code.icmp_signed("<", index, first), index, code.add(index, size)))

    repeat(code, code.sub(count, size), (), lambda index, _: one(index))


def samples(code, v, number, body):
    """Write body(address of the first sample, vectors, lanes) for two vectors of samples at a time, for one, and for a part of one."""
    lanes, side = integer(v.lanes), integer(WIDTH)
    pairs, rest = code.sdiv(number, integer(2 * v.lanes)), code.srem(number, integer(2 * v.lanes))
    repeat(code, pairs, (), lambda index, _: body(code.mul(index, integer(2 * WIDTH)), 2, None))
    start, one = code.mul(pairs, integer(2 * WIDTH)), code.icmp_signed(">=", rest, lanes)
    with code.if_then(one):
        body(start, 1, None)
    start = code.select(one, code.add(start, side), start)
    rest = code.select(one, code.sub(rest, lanes), rest)
    with code.if_then(code.icmp_signed(">", rest, integer(0))):
        body(start, 1, rest)


def windows(module, real):
    """Write all that sums over windows need.

    Each function takes the addresses of a, b and c with the distances along their axes, but the last one; the extents of a, b and
    c; first and second; and whether to add to c.
    """
    size = bits(real)
    none, one, side = integer(0), integer(1), integer(WIDTH)

    def split(numbers):
        """Return the numbers of correlate and spread: places of a, b and c, extents of a, b and c, both rules and the rest."""
        counts = (5, 4, 4, 4, 4, 4, 3, 3)
        starts = [sum(counts[:k]) for k in range(len(counts))]
        return [numbers[s : s + count] for s, count in zip(starts, counts, strict=True)]

    def correlate(code, *numbers):
        (a, *a_by), (b, *b_by), (c, *c_by), (rows, depth, high, wide), (_, tall, broad, _), *rest = split(numbers)
        (_, *places, number), first, second = rest
        add, v = numbers[-1], Vectors(code, real)
        # From these places on, so many windows lie inside the image from end to end.
        down, across = contained(code, first, high, places[0], tall), contained(code, second, wide, places[1], broad)

        def plane(offset, count, live):
            groups = (2, 1) if count == 2 else (4, 2, 1)

            def at(y, x, lines, points, direction, size):
                """Write the strip of some places side by side, whose windows reach equally far: down, or across."""
                (u, us), (w, ws) = lines, points
                i, j = place(code, first[2], (first[0], y), (first[1], u)), place(code, second[2], (second[0], x), (second[1], w))
                left = place(code, a, (u, a_by[2]), (w, a_by[3]))
                right = place(code, code.add(b, offset), (i, b_by[1]), (j, b_by[2]))
                result = place(code, code.add(c, offset), (y, c_by[1]), (x, c_by[2]))
                steps = code.mul((first, second)[direction][0], b_by[1 + direction]), c_by[1 + direction]
                # Columns are vectors of samples, and places.
                near = (side, side) if count == 2 else steps
                far = [code.mul(integer(2 // count), step) for step in steps] if count * size == 4 else ()
                loops = (depth, a_by[1], b_by[0], us, a_by[2], code.mul(first[1], b_by[1]), ws, a_by[3], code.mul(second[1], b_by[2]))
                lanes = integer(v.lanes) if live is None else live
                numbers = (left, a_by[0], rows, right, near[0], result, c_by[0], near[1], lanes, add, *loops, *far)
                code.call(strip(module, real, count * size), numbers)

            def met(y):
                return meeting(code, place(code, first[2], (first[0], y)), first[1], high, tall)

            def beside(x):
                return meeting(code, place(code, second[2], (second[0], x)), second[1], wide, broad)

            def line(y):
                lines = met(y)
                in_groups(code, across, groups, lambda x, columns: at(y, x, lines, (none, wide), 1, columns))

            def border(x):
                points = beside(x)
                in_groups(code, down, groups, lambda y, columns: at(y, x, (none, high), points, 0, columns))
                outside(code, down, places[0], lambda y: at(y, x, met(y), points, 0, 1))

            if live is None:
                repeat(code, places[0], (), lambda y, _: line(y))
                outside(code, across, places[1], border)
                return

            def alone(y):
                lines = met(y)
                repeat(code, places[1], (), lambda x, _: at(y, x, lines, beside(x), 1, 1))

            repeat(code, places[0], (), lambda y, _: alone(y))

        samples(code, v, number, plane)

    def correlate_rows(code, *numbers):
        (a, *a_by), (b, *b_by), (c, *c_by) = numbers[:4], numbers[4:8], numbers[8:13]
        (rows, *places, number), (_, tall, broad, _), (_, depth, high, wide) = numbers[13:17], numbers[17:21], numbers[21:25]
        first, second, add = numbers[25:28], numbers[28:31], numbers[31]
        v = Vectors(code, real)

        def blocks(length, size):
            return code.sdiv(code.add(length, code.sub(size, one)), size)

        whole, rest = code.sdiv(number, integer(v.lanes)), code.srem(number, integer(v.lanes))
        line = code.mul(number, integer(v.item))
        beside = code.icmp_signed("==", rest, none)
        for step in (a_by[2], code.mul(second[0], b_by[2])):
            beside = code.and_(beside, code.icmp_signed("==", step, line))
        # A part of a that stays in the nearest cache while it meets all of b: the rows of a tile, and some lines.
        height = integer(CHUNK)
        length = code.mul(code.mul(places[1], number), integer(v.item * CHUNK))
        lines = code.sdiv(integer(LINES), code.select(code.icmp_signed("<", length, one), one, length))
        parts = blocks(places[0], code.select(code.icmp_signed("<", lines, one), one, lines))
        parts = code.select(code.icmp_signed("<", parts, one), one, parts)
        lines = blocks(places[0], parts)
        parts = blocks(places[0], code.select(code.icmp_signed("<", lines, one), one, lines))
        parts = code.select(code.icmp_signed("<", parts, one), one, parts)

        def part(index, m):
            top, m = code.mul(index, lines), code.mul(m, height)
            left, result = place(code, a, (m, a_by[0])), place(code, c, (m, c_by[0]))
            count = least(code, code.sub(rows, m), height)
            more = code.select(code.icmp_signed(">", index, none), one, add)

            def met(u):
                i = place(code, first[2], (first[0], top), (first[1], u))
                return meeting(code, i, first[0], least(code, code.sub(places[0], top), lines), tall)

            def sums(k, u, w, line, columns, b_column, c_column):
                y, ys = code.add(top, line[0]), line[1]
                j = place(code, second[2], (second[1], w))
                x, xs = meeting(code, j, second[0], places[1], broad)
                x_at = place(code, left, (y, a_by[1]), (x, a_by[2]))
                i = place(code, first[2], (first[0], y), (first[1], u))
                y_at = place(code, b, (k, b_by[0]), (i, b_by[1]), (place(code, j, (second[0], x)), b_by[2]))
                z_at = place(code, result, (k, c_by[1]), (u, c_by[2]), (w, c_by[3]))
                loops = (ys, a_by[1], code.mul(first[0], b_by[1]), xs, a_by[2], code.mul(second[0], b_by[2]))
                # Where all vectors of a line lie side by side, they are one loop.
                line = (one, none, none, *loops[:3], code.mul(xs, whole), side, side)
                depths = [code.select(beside, p, q) for p, q in zip(line, (whole, side, side, *loops), strict=True)]
                numbers = (x_at, a_by[0], count, y_at, b_column, z_at, c_by[0], c_column, integer(v.lanes), more, *depths)
                code.call(dots(module, real, columns), numbers)
                with code.if_then(code.icmp_signed(">", rest, none)):
                    for q in range(columns):
                        y, z = (place(code, at, (integer(q), step)) for at, step in ((y_at, b_column), (z_at, c_column)))
                        x, y = (place(code, at, (whole, side)) for at in (x_at, y))
                        numbers = (x, a_by[0], count, y, none, z, c_by[0], none, rest, one, one, side, side, *loops)
                        code.call(dots(module, real, 1), numbers)

            def one_line(k, u):
                line = met(u)
                repeat(code, wide, (), lambda w, _: sums(k, u, w, line, 1, none, none))

            def lines_beside(k, u, size):
                """Do some lines of the window: if they meet the same lines of a, they are the columns of a strip."""
                here, there = met(u), met(code.add(u, integer(size - 1)))
                alike = code.and_(*(code.icmp_signed("==", p, q) for p, q in zip(here, there, strict=True)))
                step = code.mul(first[1], b_by[1])
                with code.if_else(alike) as (then, otherwise):
                    with then:
                        repeat(code, wide, (), lambda w, _: sums(k, u, w, here, size, step, c_by[2]))
                    with otherwise:
                        repeat(code, integer(size), (), lambda index, _: one_line(k, code.add(u, index)))

            def depths_beside(u):
                """Do a line of the window: depths are the columns of a strip."""
                line = met(u)

                def some(k, columns):
                    repeat(code, wide, (), lambda w, _: sums(k, u, w, line, columns, b_by[0], c_by[1]))

                in_groups(code, (none, depth), (4, 2), some)

            # Lines side by side share what they read, so they go first; of a few that are left the depths, and lines of the last one.
            fours = code.sdiv(high, integer(4))
            four = fours, (), lambda index, _: repeat(code, depth, (), lambda k, _: lines_beside(k, code.mul(index, integer(4)), 4))
            repeat(code, *four)
            start, left_over = code.mul(fours, integer(4)), code.srem(high, integer(4))
            repeat(code, left_over, (), lambda u, _: depths_beside(code.add(start, u)))
            last = code.sub(depth, one)
            with code.if_then(code.icmp_signed("==", code.srem(depth, integer(2)), one)):
                some = {1: lambda u: one_line(last, u), 2: lambda u: lines_beside(last, u, 2)}
                in_groups(code, (start, left_over), (2, 1), lambda u, size: some[size](u))

        repeat(code, blocks(rows, height), (), lambda m, _: repeat(code, parts, (), lambda index, _: part(index, m)))

    def spread(code, *numbers):
        (a, *a_by), (b, *b_by), (c, *c_by), (depth, rows, high, wide), (_, *places, number), (_, tall, broad, _), *rules = split(numbers)
        first, second = rules
        v = Vectors(code, real)

        def entry(i, j, offset, columns, live):
            lanes = integer(v.lanes) if live is None else live
            result = place(code, code.add(c, offset), (i, c_by[1]), (j, c_by[2]))
            begun = (a, a_by[0], rows, b, side, result, c_by[0], side, lanes, none, *(none,) * 9)
            code.call(strip(module, real, columns), begun)

            def classes(here, rule, count, extent, body):
                """Write body for the window places that meet: u = r, r + s, r + 2 s, … for every r < s for which one does."""
                def residue(r):
                    distance = code.sub(code.sub(here, rule[2]), code.mul(rule[1], r))
                    with code.if_then(code.icmp_signed("==", code.srem(distance, rule[0]), none)):
                        number = code.sdiv(code.add(code.sub(count, r), code.sub(rule[0], one)), rule[0])
                        y = code.sdiv(distance, rule[0])
                        start, found = meeting(code, y, code.neg(rule[1]), number, extent)
                        body(place(code, r, (start, rule[0])), code.sub(y, code.mul(rule[1], start)), found)

                repeat(code, least(code, rule[0], count), (), lambda r, _: residue(r))

            def inner(u, y, us):
                def innermost(w, x, ws):
                    left = place(code, a, (u, a_by[2]), (w, a_by[3]))
                    right = place(code, code.add(b, offset), (y, b_by[1]), (x, b_by[2]))
                    steps = (us, code.mul(first[0], a_by[2]), code.neg(code.mul(first[1], b_by[1])))
                    steps = (*steps, ws, code.mul(second[0], a_by[3]), code.neg(code.mul(second[1], b_by[2])))
                    numbers = (left, a_by[1], rows, right, side, result, c_by[0], side, lanes, one, depth, a_by[0], b_by[0], *steps)
                    code.call(strip(module, real, columns), numbers)

                classes(j, second, wide, places[1], innermost)

            classes(i, first, high, places[0], inner)

        def plane(offset, count, live):
            repeat(code, tall, (), lambda i, _: repeat(code, broad, (), lambda j, _: entry(i, j, offset, count, live)))

        samples(code, v, number, plane)

    for write, count in ((correlate, 32), (correlate_rows, 32), (spread, 32)):
        function(module, f"{write.__name__}_{size}", count, write)


def over_windows(name, add):
    """Return what kernels call for a sum over windows."""

    def typed(typingctx, a, b, c, first, second):
        if not all(isinstance(x, types.Array) and x.ndim == 4 and x.dtype == c.dtype for x in (a, b, c)):
            raise TypingError(f"{name} takes three arrays with four axes of one type, not {a}, {b} and {c}")

        def code(context, builder, signature, arguments):
            ready(c.dtype.bitwidth, products)
            ready(c.dtype.bitwidth, windows)
            given = [make_array(t)(context, builder, x) for t, x in zip(signature.args[:3], arguments[:3], strict=True)]
            numbers = []
            for array, unit in zip(given, UNITS[name], strict=True):
                numbers += [builder.ptrtoint(array.data, INT), *cgutils.unpack_tuple(builder, array.strides)[: 3 if unit else 4]]
            for array in given:
                numbers += cgutils.unpack_tuple(builder, array.shape)
            for t, x in zip(signature.args[3:], arguments[3:], strict=True):
                rule = zip(cgutils.unpack_tuple(builder, x), t, strict=True)
                numbers += [context.cast(builder, number, kind, types.intp) for number, kind in rule]
            call(builder, f"{name}_{c.dtype.bitwidth}", (*numbers, integer(int(add))))
            return context.get_dummy_value()

        return types.none(a, b, c, first, second), code

    typed.__name__ = typed.__qualname__ = name
    return intrinsic(typed)


#: Whether the samples of a, b and c lie side by side, so that their distance is known.
UNITS = {"correlate": (False, True, True), "correlate_rows": (True, True, False), "spread": (False, True, True)}


@njit(cache=True, error_model="numpy")
def plain_add_correlate(a, b, c, first, second):
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
def plain_correlate(a, b, c, first, second):
    """Write c[m, y, x, n] = Σ_{k, u, v} a[m, k, u, v] b[k, s·y + t·u + o, s'·x + t'·v + o', n]."""
    c[:] = 0
    plain_add_correlate(a, b, c, first, second)


@njit(cache=True, error_model="numpy")
def plain_add_correlate_rows(a, b, c, first, second):
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
def plain_correlate_rows(a, b, c, first, second):
    """Write c[m, k, u, v] = Σ_{y, x, n} a[m, y, x, n] b[k, s·y + t·u + o, s'·x + t'·v + o', n]."""
    c[:] = 0
    plain_add_correlate_rows(a, b, c, first, second)


@njit(cache=True, error_model="numpy")
def plain_spread(a, b, c, first, second):
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


correlate, add_correlate = plain_correlate, plain_add_correlate
correlate_rows, add_correlate_rows = plain_correlate_rows, plain_add_correlate_rows
spread = plain_spread
if not config.DISABLE_JIT:
    correlate, add_correlate = over_windows("correlate", False), over_windows("correlate", True)
    correlate_rows, add_correlate_rows = over_windows("correlate_rows", False), over_windows("correlate_rows", True)
    spread = over_windows("spread", False)


# Sums and largest entries of what lies side by side: every lane of four vectors takes every so many entries, then the vectors and
# their lanes are put together. The order is that of the places alone, so the bits are the same wherever it is computed.


def in_lanes(name, doc, first, joined, *, wary=False):
    """Return what kernels call to reduce an array without gaps: joined(code, x, y) puts vectors together, ``first`` changes nothing.

    Where it may lose a NaN, the result is NaN if an entry is: ``wary``.
    """

    def typed(typingctx, a):
        if not (isinstance(a, types.Array) and a.layout == "C" and isinstance(a.dtype, types.Float)):
            raise TypingError(f"{name} takes an array of real numbers without gaps, not {a}")

        def code(context, builder, signature, arguments):
            array = make_array(signature.args[0])(context, builder, arguments[0])
            v = Vectors(builder, context.get_value_type(a.dtype))
            lanes, side = integer(v.lanes), integer(v.lanes * v.item)
            start, length = builder.ptrtoint(array.data, INT), array.nitems
            fours = builder.sdiv(length, integer(4 * v.lanes))
            nothing = v.spread(ir.Constant(v.real, first))
            strange = ir.Constant(ir.VectorType(ir.IntType(1), v.lanes), None)

            def odd(strange, *values):
                for x in values if wary else ():
                    strange = builder.or_(strange, builder.fcmp_unordered("uno", x, x))
                return strange

            def four(_, state):
                address, strange, *found = state
                more = [v.load(place(builder, address, (integer(k), side))) for k in range(4)]
                joint = [joined(builder, x, y) for x, y in zip(found, more, strict=True)]
                return [place(builder, address, (integer(4), side)), odd(strange, *more), *joint]

            address, strange, *found = repeat(builder, fours, (start, strange, *(nothing,) * 4), four)
            rest = builder.sub(length, builder.mul(fours, integer(4 * v.lanes)))

            def one(index, state):
                address, strange, value = state
                mask = v.mask(builder.sub(rest, builder.mul(index, lanes)))
                more = builder.select(mask, v.load(address, mask), nothing)
                return [builder.add(address, side), odd(strange, more), joined(builder, value, more)]

            count = builder.sdiv(builder.add(rest, integer(v.lanes - 1)), lanes)
            _, strange, found[0] = repeat(builder, count, (address, strange, found[0]), one)
            value = joined(builder, joined(builder, found[0], found[1]), joined(builder, found[2], found[3]))
            half = v.lanes
            while half > 1:
                half //= 2
                order = ir.Constant(ir.VectorType(ir.IntType(32), v.lanes), [(k + half) % v.lanes for k in range(v.lanes)])
                value = joined(builder, value, builder.shuffle_vector(value, value, order))
            value = builder.extract_element(value, ir.Constant(ir.IntType(32), 0))
            if wary:
                there = builder.bitcast(strange, ir.IntType(v.lanes))
                value = builder.select(builder.icmp_signed("!=", there, ir.Constant(there.type, 0)), ir.Constant(v.real, np.nan), value)
            return value

        return a.dtype(a), code

    typed.__name__ = typed.__qualname__ = name
    typed.__doc__ = doc
    return intrinsic(typed)


def over_rows(typingctx, a, b):
    """Write b[k] = Σ_n a[n, k], the terms added in order; the entries of a row lie side by side."""
    if not (isinstance(a, types.Array) and isinstance(b, types.Array) and a.ndim == 2 and b.ndim == 1 and a.dtype == b.dtype):
        raise TypingError(f"sum_of_rows takes a matrix and an array of one type, not {a} and {b}")

    def code(context, builder, signature, arguments):
        source, result = (make_array(t)(context, builder, x) for t, x in zip(signature.args, arguments, strict=True))
        v = Vectors(builder, context.get_value_type(a.dtype))
        side = v.lanes * v.item
        rows, columns = cgutils.unpack_tuple(builder, source.shape)
        step = cgutils.unpack_tuple(builder, source.strides)[0]

        def strip(start, to, width, mask=None):
            """Add up the rows of so many vectors, and return where the next ones are."""

            def row(_, state):
                address, *sums = state
                more = [v.load(place(builder, address, (integer(k), integer(side))), mask) for k in range(width)]
                return [builder.add(address, step), *(builder.fadd(x, y) for x, y in zip(sums, more, strict=True))]

            _, *sums = repeat(builder, rows, (start, *(v.zero,) * width), row)
            for k, total in enumerate(sums):
                v.store(total, place(builder, to, (integer(k), integer(side))), mask)
            return [builder.add(x, integer(width * side)) for x in (start, to)]

        places, rest = [builder.ptrtoint(x.data, INT) for x in (source, result)], columns
        for width in (4, 2):
            count, rest = builder.sdiv(rest, integer(width * v.lanes)), builder.srem(rest, integer(width * v.lanes))
            places = repeat(builder, count, places, lambda _, at, width=width: strip(*at, width))
        count = builder.sdiv(builder.add(rest, integer(v.lanes - 1)), integer(v.lanes))

        def last(index, at):
            return strip(*at, 1, v.mask(builder.sub(rest, builder.mul(index, integer(v.lanes)))))

        repeat(builder, count, places, last)
        return context.get_dummy_value()

    return types.none(a, b), code


def larger(code, x, y):
    """Return y where it is larger than x."""
    return code.select(code.fcmp_ordered(">", y, x), y, x)


@njit(cache=True, error_model="numpy")
def plain_sum_of(a):
    """Return the sum of an array without gaps, one entry after the other."""
    found = a.dtype.type(0)
    for x in a.flat:
        found += x
    return found


@njit(cache=True, error_model="numpy")
def plain_max_of(a):
    """Return the largest entry of an array without gaps, one after the other; NaN wins, and of nothing it is −∞."""
    top = a.dtype.type(-np.inf)
    for x in a.flat:
        top = x if (x > top) | (x != x) else top
    return top


@njit(cache=True, error_model="numpy")
def plain_sum_of_rows(a, b):
    """Write b[k] = Σ_n a[n, k], the terms added in order."""
    b[:] = 0
    for n in range(a.shape[0]):
        for k in range(a.shape[1]):
            b[k] += a[n, k]


sum_of, max_of, sum_of_rows = plain_sum_of, plain_max_of, plain_sum_of_rows
if not config.DISABLE_JIT:
    sum_of = in_lanes("sum_of", "Return the sum of an array without gaps.", 0.0, lambda code, x, y: code.fadd(x, y))
    doc = "Return the largest entry of an array without gaps; NaN wins, and of nothing it is −∞."
    max_of = in_lanes("max_of", doc, -np.inf, larger, wary=True)
    sum_of_rows = intrinsic(over_rows)


PRODUCTS = ("product", "add_product", "product_parallel", "row_products", "add_row_products")
LONG = ("long_row_products", "add_long_row_products")
WINDOWS = ("correlate", "add_correlate", "correlate_rows", "add_correlate_rows", "spread")


def __getattr__(name):
    """Return a product or a sum over windows by its name with the bits of its numbers, ready for kernels that are in Numba's cache."""
    kind, _, size = name.rpartition("_")
    if size not in ("32", "64") or kind not in (*PRODUCTS, *LONG, *WINDOWS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not config.DISABLE_JIT:
        ready(int(size), products)
        if kind in LONG:
            ready(int(size), long_products)
        if kind in WINDOWS:
            ready(int(size), windows)
    return globals()[kind]


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
    """Return c[0] + c[1] t + c[2] t² + …, two and two terms first, so that few wait for others; each is rounded once."""

    def code(context, builder, signature, arguments):
        power, c = arguments
        parts = [builder.extract_value(c, k) for k in range(c.type.count)]
        while len(parts) > 3:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            parts = [builder.fma(high, power, low) for low, high in pairs] + parts[len(parts) & ~1 :]
            power = builder.fmul(power, power)
        total = parts.pop()
        while parts:
            total = builder.fma(total, power, parts.pop())
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
    """Return 2ⁿ for t = n + 1.5 · 2ᵐ + b with the number b of the exponent of 2⁰, where 2ⁿ is a normal number."""

    def code(context, builder, signature, arguments):
        integer, mantissa, _ = LAYOUT[t]
        n = context.get_value_type(integer)
        return builder.bitcast(builder.shl(builder.bitcast(arguments[0], n), n(mantissa)), arguments[0].type)

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
        if not (np.isfinite(a) and np.isfinite(b)):
            return kind(a * b + c)
        if not np.isfinite(c):
            # The product is rounded with the sum, so that none is too large beside an infinite c.
            return c
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        try:
            return kind(exact) if exact else kind(a * b + c)
        except OverflowError:
            return kind(np.inf if exact > 0 else -np.inf)

    def series(t, c):
        """Return c[0] + c[1] t + c[2] t² + …, two and two terms first, so that few wait for others; each is rounded once."""
        kind, power, parts = type(t), t, [type(t)(part) for part in c]
        while len(parts) > 3:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            parts = [fma(high, power, low) for low, high in pairs] + parts[len(parts) & ~1 :]
            power = kind(power * power)
        total = parts.pop()
        while parts:
            total = fma(total, power, parts.pop())
        return total

    def exponent_of(t):
        """Return the integer n for the real number n + 1.5 · 2ᵐ."""
        return int(t - middle(np.finfo(type(t)).nmant)) if np.isfinite(t) else 0

    def power_of_two(t):
        """Return 2ⁿ for t = n + 1.5 · 2ᵐ + b."""
        return type(t)(np.ldexp(type(t)(1), exponent_of(t) - (127 if type(t) is np.float32 else 1023)))

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
#: What is added to n for `power_of_two` of n, n − 2, n + 64 and n − 64.
POWER_OF_32, QUARTER_OF_32 = real_32(12583039.0), real_32(12583037.0)
RAISED_32, LOWERED_32 = real_32(12583103.0), real_32(12582975.0)
UP_32, DOWN_32 = real_32(1.8446744073709552e+19), real_32(5.421010862427522e-20)
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
#: log(1 + w) = w + w² p(w) for 0 ≤ w ≤ 1: 1.7e-08.
LOG_DECAY_32 = (
    real_32(-0.4999993145465851),
    real_32(0.33330512046813965),
    real_32(-0.2495860606431961),
    real_32(0.1969549059867859),
    real_32(-0.15355631709098816),
    real_32(0.10680914670228958),
    real_32(-0.05766763165593147),
    real_32(0.020206119865179062),
    real_32(-0.0033187828958034515),
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
    # A power of two on this side of the smallest or the largest number first.
    low = x < ZERO_32
    middle = RAISED_32 if low else LOWERED_32
    t = fma(y, real_32(1.4426950408889634), middle)
    n = t - middle
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    p = power_of_two(t)
    return fma(p, fma(r * r, series(r, EXP_32), r), p) * (DOWN_32 if low else UP_32)


@njit(cache=True, error_model="numpy", forceinline=True)
def decay_32(x):
    """Return w = e⁻ˣ and w − 1 for |x|. What is a function of |x| by way of w is computed from these, once for all of them."""
    y = -abs(x)
    y = real_32(-104.0) if y < real_32(-104.0) else y
    t = fma(y, real_32(1.4426950408889634), RAISED_32)
    n = t - RAISED_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    q = fma(r * r, series(r, EXP_32), r)
    raised = power_of_two(t)
    p = raised * DOWN_32
    return fma(raised, q, raised) * DOWN_32, fma(p, q, p - ONE_32)


@njit(cache=True, error_model="numpy", forceinline=True)
def expm1_32(x):
    """Return eˣ − 1 = 2ⁿ − 1 + 2ⁿ (eʳ − 1), a quarter of it first, which never overflows (1.4 ulp)."""
    y = real_32(-18.0) if x < real_32(-18.0) else x
    y = real_32(89.0) if y > real_32(89.0) else y
    t = fma(y, real_32(1.4426950408889634), QUARTER_OF_32)
    n = t - QUARTER_OF_32
    nearly = fma(n, -LOG_2_32[0], y)
    r = fma(n, -LOG_2_32[1], nearly)
    rest = fma(n, -LOG_2_32[1], nearly - r)
    p = power_of_two(t)
    quarter = fma(p, fma(r * r, series(r, EXP_32), rest), fma(p, r, p - real_32(0.25)))
    return x if abs(x) < TINY_32 else real_32(4.0) * quarter


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_32(x):
    """Return tanh x = (1 − w²)/(1 + w²) with w = e⁻ˣ for |x|, where 1 − w loses nothing (2.9 ulp)."""
    w, m = decay_32(x)
    return signed(fma(m, m, TWO_32 * m) / fma(w, w, ONE_32), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def half_tanh_32(x):
    """Return tanh x/2 = (1 − w)/(1 + w) with w = e⁻ˣ for |x| (3.1 ulp)."""
    w, m = decay_32(x)
    return signed(m * (ONE_32 / (w + ONE_32)), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_32(x):
    """Return 1/(1 + e⁻ˣ), without overflow (2.9 ulp)."""
    w, _ = decay_32(x)
    large = ONE_32 / (w + ONE_32)
    return w * large if x < ZERO_32 else large


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
    p = power_of_two(POWER_OF_32 - (real_32(64.0) if k > real_32(64.0) else k))
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
    """Return log(1 + eˣ) = max(x, 0) + log(1 + w) with w = e⁻ˣ for |x| (2.1 ulp)."""
    w, _ = decay_32(x)
    value = fma(w * w, series(w, LOG_DECAY_32), w)
    return (x if x > ZERO_32 else ZERO_32) + value


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_softplus_32(x):
    """Return tanh(log(1 + eˣ)) = m/(m + 2) with m = eˣ (eˣ + 2) (3.3 ulp)."""
    # For x > 0 both are multiplied by e⁻²ˣ: nothing overflows, and nothing is subtracted.
    e, _ = decay_32(x)
    twice = TWO_32 * e
    m = fma(e, e, twice) if x < ZERO_32 else twice + ONE_32
    return m / (m + TWO_32 if x < ZERO_32 else fma(twice, e, m))


@njit(cache=True, error_model="numpy", forceinline=True)
def erf_32(x):
    """Return erf x (1.3 ulp)."""
    size = abs(x)
    near = fma(x, series(x * x, ERF_NEAR_32), x)
    y = real_32(4.0) if size > real_32(4.0) else size
    y = -series(y, ERF_FAR_32)
    t = fma(y, real_32(1.4426950408889634), POWER_OF_32)
    n = t - POWER_OF_32
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
    t = fma(y, real_32(1.4426950408889634), QUARTER_OF_32)
    n = t - QUARTER_OF_32
    nearly = fma(n, -LOG_2_32[0], y)
    r = fma(n, -LOG_2_32[1], nearly)
    rest = fma(n, -LOG_2_32[1], nearly - r)
    p = power_of_two(t)
    quarter = fma(p, fma(r * r, series(r, EXP_32), rest), fma(p, r, p - real_32(0.25)))
    value = TWO_32 * (quarter + quarter / fma(real_32(4.0), quarter, ONE_32))
    return x if size < TINY_32 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def cosh_32(x):
    """Return cosh x = h + 1/(4h) with 2h = exp|x| (1.6 ulp)."""
    size = abs(x)
    y = real_32(89.5) if size > real_32(89.5) else size
    t = fma(y, real_32(1.4426950408889634), QUARTER_OF_32)
    n = t - QUARTER_OF_32
    r = fma(n, -LOG_2_32[1], fma(n, -LOG_2_32[0], y))
    p = power_of_two(t)
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
    """Return atan x, which is π/2 − atan(1/x) for x > 1 (1.6 ulp)."""
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
#: What is added to n for `power_of_two` of n, n − 2, n + 64 and n − 64.
POWER_OF_64, QUARTER_OF_64 = real_64(6755399441056767.0), real_64(6755399441056765.0)
RAISED_64, LOWERED_64 = real_64(6755399441056831.0), real_64(6755399441056703.0)
UP_64, DOWN_64 = real_64(1.8446744073709552e+19), real_64(5.421010862427522e-20)
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
    """Return eˣ (1.1 ulp)."""
    y = -746.0 if x < -746.0 else x
    y = 710.0 if y > 710.0 else y
    # A power of two on this side of the smallest or the largest number first.
    low = x < ZERO_64
    middle = RAISED_64 if low else LOWERED_64
    t = fma(y, real_64(1.4426950408889634), middle)
    n = t - middle
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    p = power_of_two(t)
    return fma(p, fma(r * r, series(r, EXP_64), r), p) * (DOWN_64 if low else UP_64)


@njit(cache=True, error_model="numpy", forceinline=True)
def decay_64(x):
    """Return w = e⁻ˣ and w − 1 for |x|. What is a function of |x| by way of w is computed from these, once for all of them."""
    y = -abs(x)
    y = -746.0 if y < -746.0 else y
    t = fma(y, real_64(1.4426950408889634), RAISED_64)
    n = t - RAISED_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    q = fma(r * r, series(r, EXP_64), r)
    raised = power_of_two(t)
    p = raised * DOWN_64
    return fma(raised, q, raised) * DOWN_64, fma(p, q, p - ONE_64)


@njit(cache=True, error_model="numpy", forceinline=True)
def expm1_64(x):
    """Return eˣ − 1 = 2ⁿ − 1 + 2ⁿ (eʳ − 1), a quarter of it first, which never overflows (1.4 ulp)."""
    y = -40.0 if x < -40.0 else x
    y = 710.0 if y > 710.0 else y
    t = fma(y, real_64(1.4426950408889634), QUARTER_OF_64)
    n = t - QUARTER_OF_64
    nearly = fma(n, -LOG_2_64[0], y)
    r = fma(n, -LOG_2_64[1], nearly)
    rest = fma(n, -LOG_2_64[1], nearly - r)
    p = power_of_two(t)
    quarter = fma(p, fma(r * r, series(r, EXP_64), rest), fma(p, r, p - 0.25))
    return x if abs(x) < TINY_64 else 4.0 * quarter


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_64(x):
    """Return tanh x = (1 − w²)/(1 + w²) with w = e⁻ˣ for |x|, where 1 − w loses nothing (2.9 ulp)."""
    w, m = decay_64(x)
    return signed(fma(m, m, TWO_64 * m) / fma(w, w, ONE_64), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def half_tanh_64(x):
    """Return tanh x/2 = (1 − w)/(1 + w) with w = e⁻ˣ for |x| (3.3 ulp)."""
    w, m = decay_64(x)
    return signed(m * (ONE_64 / (w + ONE_64)), x)


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid_64(x):
    """Return 1/(1 + e⁻ˣ), without overflow (2.8 ulp)."""
    w, _ = decay_64(x)
    large = ONE_64 / (w + ONE_64)
    return w * large if x < ZERO_64 else large


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
    p = power_of_two(POWER_OF_64 - (64.0 if k > 64.0 else k))
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
    """Return log(1 + eˣ) = max(x, 0) + log(1 + w) with w = e⁻ˣ for |x| (1.8 ulp)."""
    w, _ = decay_64(x)
    large = w > 0.41421356
    k = ONE_64 if large else ZERO_64
    f = (HALF_64 if large else ONE_64) * (w - k)
    s = f / (f + TWO_64)
    z = s * s
    half = HALF_64 * f * f
    small = fma(s, fma(z, series(z, LOG_64), half), k * LOG_2_64[1])
    value = fma(k, LOG_2_64[0], f - (half - small))
    return (x if x > ZERO_64 else ZERO_64) + value


@njit(cache=True, error_model="numpy", forceinline=True)
def tanh_softplus_64(x):
    """Return tanh(log(1 + eˣ)) = m/(m + 2) with m = eˣ (eˣ + 2) (3.3 ulp)."""
    # For x > 0 both are multiplied by e⁻²ˣ: nothing overflows, and nothing is subtracted.
    e, _ = decay_64(x)
    twice = TWO_64 * e
    m = fma(e, e, twice) if x < ZERO_64 else twice + ONE_64
    return m / (m + TWO_64 if x < ZERO_64 else fma(twice, e, m))


@njit(cache=True, error_model="numpy", forceinline=True)
def erf_64(x):
    """Return erf x (1.3 ulp)."""
    size = abs(x)
    near = fma(x, series(x * x, ERF_NEAR_64), x)
    y = 6.0 if size > 6.0 else size
    y = -series(y, ERF_FAR_64)
    t = fma(y, real_64(1.4426950408889634), POWER_OF_64)
    n = t - POWER_OF_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    p = power_of_two(t)
    far = fma(-p, fma(r * r, series(r, EXP_64), r), ONE_64 - p)
    return near if size < ONE_64 else signed(far, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def erfc_64(x):
    """Return 1 − erf x, which loses nothing for large x (2.9 ulp)."""
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
    """Return sinh x = 2 (q + q/(4q + 1)) with 4q = exp|x| − 1 (2.5 ulp)."""
    size = abs(x)
    y = 710.5 if size > 710.5 else size
    t = fma(y, real_64(1.4426950408889634), QUARTER_OF_64)
    n = t - QUARTER_OF_64
    nearly = fma(n, -LOG_2_64[0], y)
    r = fma(n, -LOG_2_64[1], nearly)
    rest = fma(n, -LOG_2_64[1], nearly - r)
    p = power_of_two(t)
    quarter = fma(p, fma(r * r, series(r, EXP_64), rest), fma(p, r, p - 0.25))
    value = TWO_64 * (quarter + quarter / fma(4.0, quarter, ONE_64))
    return x if size < TINY_64 else signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def cosh_64(x):
    """Return cosh x = h + 1/(4h) with 2h = exp|x| (1.5 ulp)."""
    size = abs(x)
    y = 710.5 if size > 710.5 else size
    t = fma(y, real_64(1.4426950408889634), QUARTER_OF_64)
    n = t - QUARTER_OF_64
    r = fma(n, -LOG_2_64[1], fma(n, -LOG_2_64[0], y))
    p = power_of_two(t)
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
    """Return acosh x = log(1 + s + √(s² + 2s)) with s = x − 1, for large x log x + log 2 (2.0 ulp)."""
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
    """Return atan x, which is π/2 − atan(1/x) for x > 1 (1.9 ulp)."""
    size = abs(x)
    large = size > ONE_64
    u = (ONE_64 if large else size) / (size if large else ONE_64)
    z = u * u
    value = fma(u * z, series(z, ATAN_64), u)
    value = HALF_PI_64[0] - (value - HALF_PI_64[1]) if large else value
    return signed(value, x)


@njit(cache=True, error_model="numpy", forceinline=True)
def asin_64(x):
    """Return asin x = atan(x/√(1 − x²)) (2.5 ulp)."""
    return atan_64(x / root((ONE_64 - x) * (ONE_64 + x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def acos_64(x):
    """Return acos x = 2 atan √((1 − x)/(1 + x)) (2.3 ulp)."""
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
    y = x * power_of_two(POWER_OF_64 - 24.0 * np.float64(k))
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
    """Return sin x (1.1 ulp)."""
    t, r, d = turned_64(x)
    even, odd = sine_64(r, d), cosine_64(r, d)
    value = odd if bit(t, 0) else even
    value = -value if bit(t, 1) else value
    return x if abs(x) < TINY_64 else value


@njit(cache=True, error_model="numpy", forceinline=True)
def cos_64(x):
    """Return cos x (1.1 ulp)."""
    t, r, d = turned_64(x)
    even, odd = cosine_64(r, d), sine_64(r, d)
    value = odd if bit(t, 0) else even
    return -value if bit(t, 0) != bit(t, 1) else value


@njit(cache=True, error_model="numpy", forceinline=True)
def tan_64(x):
    """Return tan x (2.6 ulp)."""
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
    e = k * LOG_2_64[0]
    e_2 = fma(k, LOG_2_64[0], -e)
    total = e + 2.0 * h
    part = total - e
    total_2 = ((e - (total - part)) + (2.0 * h - part)) + fma(k, LOG_2_64[1], fma(2.0, h_2, e_2))
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
