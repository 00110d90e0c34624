"""Calls that would make or take more than their arrays say: each ends before the work is done."""

import tracemalloc

import numpy as np
import pytest
from sandbox.making import made

from secure_serial.errors import SecureSerialError

#: What broadcasts, or is asked for, beyond what the arrays say: each is refused before the work.
LARGER = """
tf.linalg.set_diag(np.ones((2000, 2000)), np.ones((2000, 1, 2000)))
tf.linalg.set_diag(np.ones((2000, 2000)), np.ones((2000, 2000)))
tf.nn.sparse_softmax_cross_entropy_with_logits(np.zeros((9000, 1), 'int32'), np.ones((1, 9000, 2)))
tf.math.in_top_k(np.zeros((9000, 1), 'int32'), np.ones((1, 9000, 2)), 1)
tf.reverse_sequence(np.ones((1, 9000)), [5] * 9000, 1)
tf.reverse_sequence(np.ones((9, 4)), np.ones((9, 9000), 'int32'), 1)
tf.math.unsorted_segment_sum(x, [0, 1, 2, 3, 4, 5], 10 ** 10)
tf.math.segment_sum(x, [0, 0, 0, 0, 0, 10 ** 10])
tf.math.segment_mean(x, [0, 0, 0, 0, 0, 10 ** 10])
keras.ops.segment_sum(x, np.array([0, 0, 0, 0, 0, 10 ** 10]))
keras.ops.segment_max(x, np.array([0, 0, 0, 0, 0, -1]), 10 ** 10)
tf.scatter_nd([[0]], [1.0], [10 ** 10])
tf.scatter_nd([[-1]], [1.0], [3])
tf.tensor_scatter_nd_update(x, [[6]], [1.0])
tf.tensor_scatter_nd_add(x, [[0]], np.ones((1, 10 ** 6)))
keras.ops.slice_update(x, [3], np.ones(6))
tf.signal.rfft(x, [10 ** 9])
tf.signal.irfft(tf.complex(x, x), fft_length=[10 ** 9])
keras.ops.rfft(x, 10 ** 9)
tf.signal.frame(x, 10 ** 9, 1, pad_end=True)
tf.signal.stft(x, 10 ** 9, 1, pad_end=True)
tf.signal.stft(x, 2, 1, fft_length=10 ** 9)
tf.image.pad_to_bounding_box(np.ones((1, 1, 1)), 0, 0, 10 ** 5, 10 ** 5)
tf.image.resize_with_crop_or_pad(np.ones((1, 1, 1)), 10 ** 5, 10 ** 5)
tf.image.resize_with_pad(np.ones((1, 1, 1)), 10 ** 5, 10 ** 5)
tf.image.extract_patches(np.ones((1, 9, 9, 1)), 10 ** 5, 1, 1, 'SAME')
tf.image.extract_patches(np.ones((1, 9, 9, 1)), 2, 1, 10 ** 9, 'SAME')
tf.nn.conv2d(np.ones((1, 9, 9, 1)), np.ones((2, 2, 1, 1)), 1, 'SAME', dilations=10 ** 6)
tf.nn.conv2d(np.ones((1, 9, 9, 1)), np.ones((2, 2, 2, 1)), 1, 'SAME')
tf.nn.depthwise_conv2d(np.ones((1, 9, 9, 1)), np.ones((2, 2, 1, 10 ** 6)), 1, 'SAME')
K.separable_conv2d(np.ones((1, 9, 9, 1)), np.ones((2, 2, 1, 9)), np.ones((1, 1, 9, 10 ** 5)))
K.conv1d(np.ones((1, 9, 1)), np.ones((2, 1, 1)), padding='causal', dilation_rate=10 ** 9)
K.pool3d(np.ones((1, 2, 2, 2, 1)), (10 ** 4, 10 ** 4, 10 ** 4), padding='same')
np.linspace(0, 1, 10 ** 10, dtype='float16')
K.truncated_normal((10 ** 5, 10 ** 5))
K.random_binomial((10 ** 5, 10 ** 5), 0.5)
tf.scan(lambda a, b: np.zeros((2000, 2000)), np.ones(99))
K.foldl(lambda a, b: tf.concat([a, a], 0), np.ones(60), np.ones(2))
tf.map_fn(lambda t: t[0] + t[1], (x, x))
tf.foldl(tf.add, [x, x])
keras.utils.to_categorical(x, 10 ** 10)
tf.math.polyval([1.0] * 1000, np.ones((1000, 1000)))
"""


@pytest.mark.parametrize("expression", LARGER.strip().splitlines())
def test_what_is_larger_than_it_looks_is_refused(expression):
    function = made(f"lambda x: {expression}")
    tracemalloc.start()
    try:
        with pytest.raises(SecureSerialError):
            function(np.arange(6, dtype="float32"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # What the expression itself makes is not refused.
    assert peak < 400 << 20
