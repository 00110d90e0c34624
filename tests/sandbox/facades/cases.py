"""Sample arguments for each operation of `canonical.json`: in its order, as the facades take them."""

# ruff: noqa: SIM905 - a name a line would hide the rest

import numpy as np

_random = np.random.RandomState(7)
X = _random.standard_normal((2, 3, 4)).astype("float32")
Y = _random.standard_normal((2, 3, 4)).astype("float32")
P = (np.abs(X) + 0.5).astype("float32")
U = _random.uniform(0.1, 0.9, (2, 3, 4)).astype("float32")
B = X > 0
WHOLE = _random.randint(0, 6, (2, 3, 4)).astype("int32")
J = _random.randint(1, 6, (2, 3, 4)).astype("int32")
IMG = _random.standard_normal((2, 4, 6, 4)).astype("float32")
RGB = _random.uniform(0, 1, (2, 4, 6, 3)).astype("float32")
M = (_random.standard_normal((2, 3, 3)) + 4 * np.eye(3)).astype("float32")
SPD = np.matmul(M, np.swapaxes(M, -1, -2)).astype("float32")
V = np.asarray([0.5, 1.5, 2.5, 4.0], "float32")
K3 = _random.standard_normal((2, 2, 4, 5)).astype("float32")
D3 = _random.standard_normal((2, 2, 4, 1)).astype("float32")

BYTES = _random.randint(0, 256, (2, 3, 4)).astype("uint8")
PIXELS = _random.randint(0, 256, (2, 4, 6, 4)).astype("uint8")

_UNIT = "arccos arcsin arctanh".split()
_POSITIVE = "arccosh log log10 log1p log2 sqrt rsqrt reciprocal".split()
_BOOLEAN = "logical_not".split()
_WHOLE = "bitwise_not".split()
_UNARY = """abs arccos arccosh arcsin arcsinh arctan arctanh cbrt ceil cos cosh deg2rad exp exp2
expm1 floor isfinite isinf isnan log log10 log1p log2 logical_not negative rad2deg reciprocal rsqrt
sign sin sinc sinh sqrt square tan tanh trunc bitwise_not angle conj real imag signbit isposinf
isneginf sigmoid relu relu6 softplus softsign silu log_sigmoid selu hard_sigmoid hard_silu
tanh_shrink hard_tanh sparse_sigmoid sparse_plus erf stop_gradient ravel copy fliplr flipud shape dynamic_shape dynamic_shape
ndim size dtype softmax log_softmax elu celu leaky_relu gelu glu soft_shrink hard_shrink squareplus
nan_to_num identity_of l2_normalize batch_flatten bounded_relu hard_sigmoid_2 mish erfc norm_of
matrix_transpose matrix_diag rank int_of float_of zeros_like ones_like array convert_to_tensor
sort argsort diagonal trace tril triu diff round transpose squeeze roll2 nonzero""".split()
_REDUCE = (
    "sum mean max min any all prod amax amin ptp std var logsumexp median norm_of l2_normalize"
)
_BINARY = """add subtract multiply divide true_divide floor_divide mod power maximum minimum equal
not_equal greater greater_equal less less_equal logical_and logical_or logical_xor arctan2 hypot
logaddexp fmod heaviside fmax fmin divide_no_nan isclose allclose squared_difference""".split()
_INTEGERS = "gcd lcm bitwise_and bitwise_or bitwise_xor".split()


def _sample(name):
    if name in _UNIT:
        return U
    if name in _BOOLEAN:
        return B
    if name in _WHOLE:
        return WHOLE
    if name == "arccosh":
        return P + 1
    return P if name in _POSITIVE else X


CASES = {name: [(_sample(name),)] for name in _UNARY if name != "roll2"}
for _name in _REDUCE.split():
    _x = B if _name in ("any", "all") else X
    CASES.setdefault(_name, [])
    CASES[_name] += (
        [(_x, 1, True), (_x, (0, 2), False), (_x, -1)] if _name != "l2_normalize" else []
    )
for _name in _BINARY:
    _pair = (
        (B, X > 0.5) if _name.startswith("logical") and _name != "logaddexp" else (P, P[0] * 0.7)
    )
    CASES[_name] = [_pair]
for _name in _INTEGERS:
    CASES[_name] = [(WHOLE, J)]
CASES |= {
    "old_divide": [(P, 2.0), (WHOLE, J), (WHOLE, 3)],
    "left_shift": [(WHOLE, J)], "right_shift": [(WHOLE, J)],
    "l2_normalize": [(X, 1), (X, None), (X, (1, 2))],
    **{f"{name}_of_whole": [(WHOLE, 1, True), (WHOLE - 3, None, False), (BYTES, (0, 2), False)]
       for name in ("sum", "prod", "mean", "norm")},
    "moments_of_whole": [(WHOLE, 1, True), (WHOLE - 3, (0, 2), False)],
    "cumsum_of_whole": [(BYTES, 1, None)], "cumprod_of_whole": [(BYTES, 1, None)],
    "trace_of_whole": [(BYTES, 0, -2, -1)],
    "shape_tensor": [(X,)], "join": [([X, Y], 1)], "stack_up": [([X, Y], 1), ([2, 3], 0)],
    "take_apart": [(X, 3, 1)], "norm_of_tensor": [(X, 1, None, True), (X, 3, 1), (X, 2, (1, 2))],
    "clip_between": [(X, -0.5, 0.5), (X, 1.0, 0.0)], "sqrt_from_zero": [(X,)],
    "binary_crossentropy_2": [(U, U[::-1]), (U, X * 50, True)],
    "where_of": [(B, X, Y), (B, None, None)], "arange_of": [(0, 3, 0.5, "int32"), (4,  None, 1, "float32")],
    "resize_2": [(IMG, (8, 3)), (PIXELS, (8, 3)), (PIXELS, (8, 3), "nearest")],
    "brighten": [(RGB, 0.2), (PIXELS, 0.2)], "grayscale": [(RGB,), (PIXELS[..., :3],)],
    "cast_2": [(X, "int32"), (X * 9, "uint8")], "argmax_of": [(X, 1)], "argmin_of": [(X, 1)],
    "fill_of": [((2, 3), 4), ((2,), 1.5), ((2,), True)],
    "where": [(B, X, Y), (B, X, 0.0), (B, None, None)],
    "clip": [(X, -0.5, 0.5), (X, Y - 1, Y + 1)],
    "round": [(X,), (X, 1)],
    "nan_to_num": [(np.asarray([1.0, np.nan, np.inf], "float32"), 2.0, 3.0, -3.0)],
    "elu": [(X,), (X, 0.3)], "celu": [(X, 0.7)], "leaky_relu": [(X, 0.1)],
    "gelu": [(X, True), (X, False)], "glu": [(X, -1)], "threshold": [(X, 0.2, 9.0)],
    "softmax": [(X,), (X, 1)], "log_softmax": [(X, 0)],
    "argmax": [(X,), (X, 1), (X, -1, True)], "argmin": [(X, 1)],
    "count_nonzero": [(WHOLE,), (WHOLE, 1)],
    "cumsum": [(X, 1)], "cumprod": [(X, 2)],
    "average": [(X, 1, None), (X, 2, V)],
    "norm": [(X[0],), (X[0], None, 1, True), (X[0], 1, 0)],
    "quantile": [(X, 0.3, 1)], "percentile": [(X, 30.0, 1)],
    "moments": [(X, (0, 1), True)], "normalize": [(X, -1, 2)],
    "reshape": [(X, (3, -1)), (X, 24)],
    "transpose": [(X,), (X, (2, 0, 1))], "swapaxes": [(X, 0, 2)], "moveaxis": [(X, 0, 2)],
    "expand_dims": [(X, 1), (X, -1)], "squeeze": [(X[:1],), (X[:1], 0)],
    "flip": [(X,), (X, 1), (X, (0, 2))], "roll": [(X, 1, 1), (X, 5)], "rot90": [(X, 1)],
    "concatenate": [([X, Y], 1), ((X, Y), -1)], "stack": [([X, Y], 1)],
    "hstack": [([X, Y],)], "vstack": [([X, Y],)], "dstack": [([X, Y],)],
    "append": [(X, Y, 0), (X, Y)],
    "split": [(X, 2, 2), (X, (1, 3), 2)], "array_split": [(X, 2, 1)],
    "hsplit": [(X, 3)], "vsplit": [(X, 2)], "unstack": [(X,), (X, None, 1), (X, 2)],
    "repeat": [(X, 2, 1), (X, (1, 2, 3), 1), (X, 2)],
    "tile": [(X, (2, 1, 1)), (X, 3)],
    "pad": [(X, ((0, 0), (1, 2), (0, 1))), (X, 1), (X, ((0, 0), (1, 1), (1, 1)), "reflect"),
            (X, 1, "constant", 2.0), (X, ((0, 0), (1, 1), (1, 1)), "symmetric")],
    "broadcast_to": [(X[0], (5, 3, 4))],
    "diag": [(V,), (V, 1), (X[0],)], "diagflat": [(V,)],
    "diagonal": [(X, 0, 1, 2)], "trace": [(X[0],), (X, 0, 1, 2)],
    "tril": [(X, 0)], "triu": [(X, 1)], "diff": [(X,), (X, 2, 1)],
    "sort": [(X, 1)], "argsort": [(X, 1)], "top_k": [(X, 2)],
    "searchsorted": [(V, np.asarray([1.0, 3.0], "float32"))],
    "digitize": [(X, V)],
    "take": [(X, np.asarray([1, 0]), 1), (X, 5), (X, [[0, 1], [2, 3]], 2)],
    "take_along_axis": [(X, np.argsort(X, 1), 1)],
    "one_hot": [(WHOLE, 6), (WHOLE, 6, 1, "int32")], "isin": [(WHOLE, [1, 2])],
    "slice": [(X, (0, 1, 0), (2, 2, 3))],
    "cast": [(X, "int32"), (B, "float32"), (WHOLE, "float16")],
    "zeros": [((2, 3),), ((2,), "int32")], "ones": [((2, 3),)],
    "full": [((2, 3), 4.0), ((2, 3), 4.0, "float32")], "full_like": [(X, 3.0)],
    "arange": [(5,), (1, 7, 2), (0.0, 1.0, 0.25), (3, None, None, "float32")],
    "linspace": [(0.0, 1.0, 5), (0.0, 1.0, 5, True, "float32")], "logspace": [(0.0, 2.0, 3)],
    "eye": [(3,), (2, 4, 1)], "identity": [(3, "float32")], "tri": [(3, 4, 0, "float32")],
    "meshgrid": [([V, V[:2]],), ([V, V[:2]], "ij")],
    "matmul": [(X, np.swapaxes(Y, 1, 2)), (X, V)], "dot": [(X, V), (X[0], Y[0].T)],
    "inner": [(X, Y)], "vdot": [(V, V)], "outer": [(V, V)], "kron": [(X[0], Y[0])],
    "cross": [(X[..., :3], Y[..., :3])],
    "tensordot": [(X, Y, ((1, 2), (1, 2))), (X, V, 1)],
    "einsum": [("bij,bik->bjk", [X, Y]), ("ij->ji", [X[0]]), ("...i,...i->...", [X, Y])],
    "cholesky": [(SPD,)], "det": [(M,)], "inv": [(M,)], "solve": [(M, X)], "qr": [(M,)],
    "svd": [(M, True, False)], "eigh": [(SPD,)], "slogdet": [(M,)], "logdet": [(SPD,)],
    "max_pool": [(IMG, 2), (IMG, (2, 3), 1, "same"), (IMG, 2, 2, "valid", "channels_last")],
    "average_pool": [(IMG, 2), (IMG, (2, 3), 1, "same")],
    "conv": [(IMG, K3, 1, "same")], "depthwise_conv": [(IMG, D3)],
    "binary_crossentropy": [(U, U), (U, X, True)],
    "categorical_crossentropy": [(U, U), (U, X, True)],
    "space_to_depth": [(IMG, 2)], "depth_to_space": [(IMG, 2)],
    "batch_dot": [(X, Y, (1, 1)), (X, Y, 2), (X[:, 0], Y[:, 0]), (X, np.swapaxes(Y, 1, 2)),
                  (IMG, X, (3, 2))],
    "k_repeat": [(X[0], 3)],
    "bounded_relu": [(X,), (X, 0.1, 0.8, 0.0), (X, 0.1, 0.8, 0.3)],
    "reverse": [(X, 1), (X, (0, 2))],
    "temporal_padding": [(X,), (X, (0, 2))],
    "spatial_padding": [(IMG,), (IMG, ((1, 0), (2, 3))), (IMG, ((1, 0), (2, 3)), "channels_first")],
    "resize_by": [(IMG, 2, 3, "channels_last"), (IMG, 2, 2, "channels_first", "bilinear")],
    "resize": [(IMG, (8, 3)), (IMG, (3, 9), "nearest")],
    "resize_old": [(IMG, (8, 3)), (IMG, (8, 3), "nearest"), (IMG, (8, 3), "bilinear", True)],
    "lrn": [(IMG,), (IMG, 1, 1.0, 0.5, 0.75)],
    "batch_normalize": [(X, V * 0, V, V, V)], "add_bias": [(X, V)],
    "choose": [(B, X, Y), (True, X, Y), (B[:, 0, 0], X, Y)],
    "map": [], "add_all": [([X, Y, X],)],
    "multiply_matrices": [(X, Y, False, True), (X, Y, True, False)],
    "split_by": [(X, 2, 2), (X, (1, 2), 1), (X, (1, -1), 1)],
    "gather": [(X, [1, 0]), (X, [1, 0], 0), (X, [1, 0, 0], 1), (X, [[1, 0], [2, 2]], 1, 1)],
    "gather_nd": [(X, [[0, 1], [1, 2]])],
    "one_hot_of": [(WHOLE, 6), (WHOLE, 6, 2.0, -1.0)],
    "window": [(X, (0, 1, 0), (2, -1, 3))],
    "band_part": [(X, 1, 0), (X, -1, 0)], "clip_by_norm": [(X, 1.0), (X, 1.0, 1)],
    "sequence_mask": [([1, 2, 3], 4), ([1, 3], 4, "float32")],
    "flip_image": [(IMG, -2)], "rgb_to_grayscale": [(RGB,)], "standardize_image": [(IMG,)],
    "random_normal": [], "random_uniform": [],
    "running_sum": [(X, 1), (X, 1, True, False), (X, -1, True, True), (WHOLE, 0, False, True)],
    "running_prod": [(X, 1), (X, 1, True, False), (X, -1, True, True)],
    "sort_by": [(X, 1), (X, 1, "descending")],
    "argsort_by": [(X, 1), (X, 1, "descending"), (WHOLE, 2, "descending")],
    "argmax_as": [(X, 1), (X, 1, "int32")], "argmin_as": [(X, 1), (X, 1, "int32")],
    "std_of": [(X, 1), (X, (0, 2), True, 1)], "var_of": [(X, 1), (X, (0, 2), True, 1)],
    "conv_of": [(IMG, K3, (1, 2, 2, 1), "same"), (IMG, K3, 1, "valid", None, (2, 1)),
                (X, K3[0], 1, "causal", None, 2)],
    "depthwise_conv_of": [(IMG, D3, (1, 1, 1, 1), "same"), (IMG, D3, 2, "valid")],
    "crop_box": [(RGB, 1, 2, 3, 4)], "central_crop": [(RGB, 0.5)], "pad_box": [(RGB, 1, 0, 7, 8)],
    "crop_or_pad": [(RGB, 3, 9)], "resize_with_pad": [(RGB, 5, 5), (RGB, 5, 5, "nearest")],
    "patches": [(RGB, 2), (RGB, (1, 3, 2, 1), (1, 2, 1, 1), (1, 1, 2, 1), "same")],
    "adjust_contrast": [(RGB, 2.0)], "adjust_gamma": [(RGB, 2.0, 0.5)],
    "adjust_saturation": [(RGB, 1.5)], "adjust_hue": [(RGB, 0.3)],
    "rgb_to_hsv": [(RGB,)], "hsv_to_rgb": [(RGB,)],
    "convert_image_dtype": [(RGB, "uint8"), (J, "float32"), (X, "float32")],
    "sobel_edges": [(RGB,)], "total_variation": [(RGB,)], "image_psnr": [(RGB, RGB * 0.9, 1.0)],
    "preprocess_input": [(RGB,), (RGB, None, "tf"), (RGB, None, "torch"), (RGB, None, "none"),
                         (np.moveaxis(RGB, -1, 1), "channels_first", "torch")],
    "sigmoid_crossentropy": [(U, X)], "weighted_crossentropy": [(U, X, 2.0)],
    "softmax_crossentropy": [(U, X)], "sparse_softmax_crossentropy": [(J[:, :, 0] % 4, X)],
    "sparse_crossentropy": [(J[:, :, 0] % 4, U), (J[:, :, :1] % 4, X, True)],
    "in_top_k_of": [(J[0, :, 0] % 4, X[0], 2)], "l2_loss": [(X,)],
    "mean_squared_error": [(X, Y)], "mean_absolute_error": [(X, Y)],
    "mean_absolute_percentage_error": [(P, Y)], "mean_squared_logarithmic_error": [(P, U)],
    "cosine_similarity": [(X, Y), (X, Y, 1)], "huber": [(X, Y)], "log_cosh": [(X, Y)],
    "kl_divergence": [(U, P)], "poisson": [(U, P)],
    "mean_binary_crossentropy": [(U, U), (U, X, True)],
    "xlogy": [(P, U)], "xlog1py": [(X, U)], "xdivy": [(X, P)], "multiply_no_nan": [(X, Y)],
    "reciprocal_no_nan": [(P,)], "polynomial": [([X, Y, P], U)], "zero_fraction": [(B,)],
    "crelu": [(X,), (X, 1)], "complex_of": [(X, Y)], "ensure_shape": [(X, (None, 3, 4))],
    "to_categorical": [(WHOLE, 6), (WHOLE[..., :1], 6)], "normalize_by": [(X,), (X[0], 0, 1)],
    "dropout": [], "random_bernoulli": [], "truncated_normal": [],
    "strided": [(X, (0, 1), (2, 3), (1, 2)), (X, (1,), (0,), (-1,), 0, 1)],
    "reverse_sequence": [(X, [2, 3], 1), (X, [2, 0, 4], 2, 1)],
    "set_diag": [(X, X[:, 0, :3])], "tensor_diag": [(V,)],
    "matvec": [(X, V), (X, X[:, :, 0], True)], "svd_of": [(M, False, False)],
    "segment_sum_of": [(X[0], [1, 0, 1], 3)], "segment_max_of": [(X[0], [1, 0, 1], 2)],
    "sorted_segment_sum": [(X[0], [0, 0, 2])], "sorted_segment_mean": [(X[0], [0, 0, 2])],
    "scatter_nd": [([[0], [3]], X[0, :2], (4, 4)), ([[0, 1], [0, 1]], [1.0, 2.0], (2, 2))],
    "scatter_set": [(X[0], [[0], [2]], Y[0, :2])], "scatter_add": [(X[0], [[0], [0]], Y[0, :2])],
    "scatter_sub": [(X[0], [[0, 1]], [5.0])], "slice_update": [(X, (0, 1, 2), Y[:, :2, :1])],
    "fold_items": [], "scan_of": [],
    "fft": [([X, Y],)], "fft2": [([X, Y],)], "ifft2": [([X, Y],)],
    "rfft": [(X,), (X, 7)], "irfft": [([X, Y],), ([X, Y], 5)],
    "fft_of": [(X + 1j * Y,)], "ifft_of": [(X + 1j * Y,)], "fft2_of": [(X + 1j * Y,)],
    "ifft2_of": [(X + 1j * Y,)], "rfft_of": [(X, (7,))], "irfft_of": [(X + 1j * Y, 5)],
    "frames": [(IMG, 2, 1), (IMG, 3, 2, True, 0.5)], "stft_of": [(IMG, 3, 2)],
    "separable_conv_of": [(IMG, D3, K3[:1, :1], 1, "same")],
    "pool": [(IMG, (2, 2), (2, 2)), (IMG, (2, 2), (1, 1), "same", "channels_last", "avg"),
             (IMG, (1, 2, 2, 1), (1, 2, 1, 1), "same")],
}  # fmt: skip
