"""Some instructions that Numba has no words for, written in LLVM's language.

They stand apart from the algorithms: each moves some bytes, and the loops that call them would give the same results
without them, only more slowly.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

LINE_BYTES = 64  # bytes of a line of the cache, and of the widest vector
COMPILED = not config.DISABLE_JIT  # with NUMBA_DISABLE_JIT=1 the loops run as plain Python, to be looked into
BITS = 64  # truth values that `bits_of` takes together
FEATURES = get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES  # of the code Numba makes
CAN_PACK = COMPILED and "+avx512f" in FEATURES.split(",")  # whether `pack_closer` is one instruction


def _address(context, builder, kind, array, index, element):
    """The address of array[index], as a pointer to `element`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


@intrinsic
def store_line(typing, target, at, source, start):
    """Copy the 64 bytes from source[start] on to target[at], an aligned line, past the caches.

    An ordinary store first reads the line that it is about to overwrite. Without that a large matrix is written twice
    as fast.
    """

    def generate(context, builder, signature, values):
        line = ir.VectorType(ir.IntType(32), LINE_BYTES // 4)
        kinds = signature.args
        content = builder.load(_address(context, builder, kinds[2], values[2], values[3], line), align=1)
        place = _address(context, builder, kinds[0], values[0], values[1], line)
        store = builder.store(content, place, align=LINE_BYTES)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), generate


@intrinsic
def prefetch(typing, row, o):
    """Ask for the line of memory at row[o], which may lie behind the row's end, into the second-level cache."""

    def generate(context, builder, signature, values):
        place = _address(context, builder, signature.args[0], values[0], values[1], ir.IntType(8))
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, second_level, data = (ir.Constant(flag, choice) for choice in (0, 2, 1))
        builder.call(fetch, [place, to_read, second_level, data])
        return context.get_dummy_value()

    return types.void(row, types.intp), generate


@intrinsic
def bits_of(typing, flags):
    """The first 64 truth values of an array as one number: bit o is flags[o]. The array is one of `BITS` bool."""

    def generate(context, builder, signature, values):
        row = ir.VectorType(ir.IntType(8), BITS)
        place = _address(context, builder, signature.args[0], values[0], ir.Constant(ir.IntType(64), 0), row)
        flags_set = builder.icmp_unsigned("!=", builder.load(place, align=1), ir.Constant(row, [0] * BITS))
        return builder.bitcast(flags_set, ir.IntType(BITS))

    return types.uint64(flags), generate


@intrinsic
def lowest_bit(typing, bits):
    """The place of the lowest bit that is set, of a number that is not 0."""

    def generate(context, builder, signature, values):
        number, flag = ir.IntType(64), ir.IntType(1)
        kind = ir.FunctionType(number, [number, flag])
        count = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(count, [values[0], ir.Constant(flag, 1)])

    return types.intp(types.uint64), generate


@intrinsic
def pack_closer(typing, row, factor, bound, o, items, close, at):
    """Among the 64 bytes from row[o] on, write the items closer than their bound to items[at:] and close[at:].

    Whole vectors are written: the wanted lanes in front, anything behind them. Returns `at` moved on by the number of
    wanted lanes.
    """
    number = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[row.dtype]
    bits = row.dtype.bitwidth
    lanes = LINE_BYTES // (bits // 8)

    def generate(context, builder, signature, values):
        given_row, given_sign, given_bound, given_o, given_items, given_close, given_at = values
        kinds = signature.args
        vector = ir.VectorType(number, lanes)
        numbers = builder.load(_address(context, builder, kinds[0], given_row, given_o, vector), align=4)
        limits = builder.load(_address(context, builder, kinds[2], given_bound, given_o, vector), align=4)
        closeness = builder.fmul(numbers, _spread(builder, given_sign, lanes))
        wanted = builder.fcmp_ordered(">", closeness, limits)
        first = _spread(builder, builder.trunc(given_o, ir.IntType(32)), lanes)
        index = builder.add(first, ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(lanes))))
        place = _address(context, builder, kinds[4], given_items, given_at, index.type)
        _store_in_front(builder, index, wanted, place, "i32")
        place = _address(context, builder, kinds[5], given_close, given_at, vector)
        _store_in_front(builder, closeness, wanted, place, f"f{bits}")
        mask = builder.bitcast(wanted, ir.IntType(lanes))
        return builder.add(given_at, builder.zext(builder.ctpop(mask), ir.IntType(64)))

    return types.intp(row, factor, bound, types.intp, items, close, types.intp), generate


def _spread(builder, value, lanes):
    """A vector with `value` in every lane."""
    zero = ir.Constant(ir.IntType(32), 0)
    empty = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(empty, value, zero)
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def _store_in_front(builder, vector, wanted, place, kind):
    """Move the wanted lanes of a vector to its front, and store the whole vector at `place`."""
    name = f"llvm.experimental.vector.compress.v{vector.type.count}{kind}"
    signature = ir.FunctionType(vector.type, [vector.type, wanted.type, vector.type])
    compress = cgutils.get_or_insert_function(builder.module, signature, name)
    packed = builder.call(compress, [vector, wanted, ir.Constant(vector.type, ir.Undefined)])
    builder.store(packed, place, align=4)


if not COMPILED:

    def store_line(target, at, source, start):
        """Copy what 64 bytes hold, one entry after the other."""
        step = LINE_BYTES // target.itemsize
        target[at : at + step] = source[start : start + step]

    def prefetch(row, o):
        """Nothing: there is no hurry."""

    def bits_of(flags):
        """The truth values as one number, bit after bit."""
        return np.packbits(flags, bitorder="little").view(np.uint64)[0]

    def lowest_bit(bits):
        """The place of the lowest bit that is set."""
        number = int(bits)
        return (number & -number).bit_length() - 1
