"""Matrix products for the kernels beside this file: tiled loops that Numba vectorises, without BLAS.

Every entry is summed in the same order for any number of threads, so the results never depend on it. The loops run over
slices from 0 on: Numba then knows that no index is negative, which doubles their speed.
"""

from numba import njit, prange

#: Rows that one thread takes at a time, and rows of the right factor that stay in the cache meanwhile.
ROWS = 32
DEPTH = 256


@njit(cache=True, error_model="numpy")
def transpose(a, b):
    """Write the transpose of a into b, in strips that stay in the cache."""
    rows, columns = a.shape
    for first in range(0, columns, 16):
        for i in range(rows):
            for j in range(first, min(first + 16, columns)):
                b[j, i] = a[i, j]


@njit(cache=True, error_model="numpy")
def four_rows(a_0, a_1, a_2, a_3, b, c_0, c_1, c_2, c_3):
    """Add Σ_k a_r[k] b[k, :] to c_r for four rows r, four k at a time."""
    whole = a_0.size // 4 * 4
    for k in range(0, whole, 4):
        p_00, p_01, p_02, p_03 = a_0[k], a_0[k + 1], a_0[k + 2], a_0[k + 3]
        p_10, p_11, p_12, p_13 = a_1[k], a_1[k + 1], a_1[k + 2], a_1[k + 3]
        p_20, p_21, p_22, p_23 = a_2[k], a_2[k + 1], a_2[k + 2], a_2[k + 3]
        p_30, p_31, p_32, p_33 = a_3[k], a_3[k + 1], a_3[k + 2], a_3[k + 3]
        b_0, b_1, b_2, b_3 = b[k], b[k + 1], b[k + 2], b[k + 3]
        for j in range(c_0.size):
            q_0, q_1, q_2, q_3 = b_0[j], b_1[j], b_2[j], b_3[j]
            c_0[j] = c_0[j] + p_00 * q_0 + p_01 * q_1 + p_02 * q_2 + p_03 * q_3
            c_1[j] = c_1[j] + p_10 * q_0 + p_11 * q_1 + p_12 * q_2 + p_13 * q_3
            c_2[j] = c_2[j] + p_20 * q_0 + p_21 * q_1 + p_22 * q_2 + p_23 * q_3
            c_3[j] = c_3[j] + p_30 * q_0 + p_31 * q_1 + p_32 * q_2 + p_33 * q_3
    for k in range(whole, a_0.size):
        p_0, p_1, p_2, p_3 = a_0[k], a_1[k], a_2[k], a_3[k]
        b_0 = b[k]
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
        b_0 = b[k]
        for j in range(c_0.size):
            c_0[j] += p * b_0[j]


@njit(cache=True, error_model="numpy")
def some_rows(a, b, c):
    """Write c[m, :] = Σ_k a[m, k] b[k, :] for every m."""
    rows, depth = a.shape
    for m in range(rows):
        row = c[m]
        for j in range(row.size):
            row[j] = 0
    whole = rows // 4 * 4
    for start in range(0, depth, DEPTH):
        stop = min(start + DEPTH, depth)
        part = a[:, start:stop]
        below = b[start:stop]
        for m in range(0, whole, 4):
            four_rows(part[m], part[m + 1], part[m + 2], part[m + 3], below, c[m], c[m + 1], c[m + 2], c[m + 3])
        for m in range(whole, rows):
            one_row(part[m], below, c[m])


@njit(cache=True, error_model="numpy", parallel=True)
def all_rows(a, b, c):
    """Do some_rows for blocks of rows, shared among threads."""
    rows = c.shape[0]
    for block in prange((rows + ROWS - 1) // ROWS):
        first = block * ROWS
        stop = min(first + ROWS, rows)
        some_rows(a[first:stop], b, c[first:stop])


# A step of 1 makes a strided array of any a, transposed or not, so that Numba compiles the loops once for both.


@njit(cache=True, error_model="numpy")
def product(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n]; the rows of b and c must be contiguous."""
    some_rows(a[::1, ::1], b, c)


@njit(cache=True, error_model="numpy")
def product_parallel(a, b, c):
    """Write c[m, n] = Σ_k a[m, k] b[k, n] with the rows shared among threads."""
    all_rows(a[::1, ::1], b, c)
