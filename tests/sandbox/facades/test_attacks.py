"""Attacks through facades: each ends in an error of ours, and before the work is done.

Each runs as a restricted function, called with an array of six numbers. What memory it took is
measured: a size that is only found out afterwards would show.
"""

import tracemalloc

import numpy as np
import pytest
from sandbox.making import made

from secure_serial.errors import SecureSerialError

#: Above what any refused case needs to say no; each bomb is far beyond it.
MEMORY = 16 << 20

REACHING = """
np.f2py.os.system('true')
np.ctypeslib.load_library('libc', '/')
np.lib.npyio.load('x')
np.lib.format.open_memmap('x')
np.lib.stride_tricks.as_strided(x, (1000000,))
np.core.multiarray
np._core
np.testing.measure('1')
np.distutils.exec_command
np.show_config()
np.load('model.npy', allow_pickle=True)
np.save('x.npy', x)
np.savez('x.npz', x)
np.savetxt('x.txt', x)
np.loadtxt('/etc/hostname')
np.genfromtxt('/etc/hostname')
np.fromfile('/etc/hostname', 'uint8')
np.fromregex('/etc/hostname', 'a', 'f4')
np.memmap('/etc/hostname')
np.DataSource('/').open('x')
np.frombuffer('text')
np.fromstring('1 2', sep=' ')
np.fromfunction(lambda i: i, (3,))
np.fromiter((i for i in range(3)), 'f4')
np.frompyfunc(lambda v: v, 1, 1)
np.vectorize(lambda v: v)(x)
np.apply_along_axis(lambda v: v, 0, x)
np.piecewise(x, [x > 0], [lambda v: v])
np.nditer(x)
np.ndarray((3,))
np.dtype('O')
np.record
np.matrix('1 2')
np.object_
np.void(8)
np.char.add
np.rec.array
np.ufunc
np.add.reduce(x)
np.add.at(x, 0, 1)
np.add.outer(x, x)
np.random.seed(0)
np.random.RandomState
np.random.bytes(10)
np.set_printoptions(threshold=1)
np.seterrcall(lambda *a: None)
np.linalg.linalg
np.sum.__globals__
tf.io.read_file('/etc/hostname')
tf.io.gfile.GFile('/etc/hostname')
tf.gfile.Open('/etc/hostname')
tf.py_function(lambda v: v, [x], tf.float32)
tf.py_func(lambda v: v, [x], tf.float32)
tf.numpy_function(lambda v: v, [x], tf.float32)
tf.raw_ops.ReadFile(filename='/etc/hostname')
tf.load_op_library('x.so')
tf.load_library('x.so')
tf.function(lambda v: v)
tf.autograph.experimental
tf.saved_model.load('/')
tf.data.Dataset.from_tensors(x)
tf.train.Checkpoint
tf.summary.create_file_writer('x')
tf.keras.models.load_model('x')
tf.keras.utils.get_file('x', 'http://localhost/')
tf.keras.layers.Lambda(lambda v: v)
tf.compat.v1.gfile.Open('x')
tf.compat.v1.Session()
tf.print(x)
tf.Variable(x)
tf.sysconfig.get_lib()
tf.strings.join(['a'])
tf.math.os
K.function([x], [x])
K.eval(x)
K.get_session()
K.set_epsilon(1.0)
K.set_floatx('float64')
K.set_image_data_format('channels_first')
K.variable(x)
K.tf.io
K.np.load('x')
K.py_any
K.rnn(lambda v: v, x, [])
keras.utils.get_file('x', 'http://localhost/')
keras.models.load_model('x')
keras.saving.load_model('x')
keras.src.utils
keras.layers.Lambda(lambda v: v)
keras.config.enable_unsafe_deserialization()
keras.config.disable_traceback_filtering()
keras.backend.function
keras.activations.get('relu')
keras.activations.deserialize('relu')
keras.losses.mse
keras.Sequential()
keras.Model()
keras.ops.custom_gradient(lambda v: v)
keras.ops.jvp(lambda v: v, (x,), (x,))
keras.ops.view(x, 'int8')
keras.ops.convert_to_numpy(x)
keras.ops.numpy.load
keras.ops.while_loop(lambda v: True, lambda v: v, [x])
keras.ops.fori_loop(0, 10 ** 9, lambda i, v: v, x)
keras.random.SeedGenerator(0)
ops.vectorize(lambda v: v)
ops.scan(lambda c, v: (c, v), x, x)
ops.nn.keras
math.__loader__
math.sumprod([1], [1])
math.nextafter(1.0, 2.0)
"""

VALUES = """
np.array([lambda: 0])
np.array([np])
np.array(['a', 'b'])
np.array([None, x])
np.array({1: 2})
np.array([10 ** 30, 10 ** 30])
np.array([1, [2, 3]])
np.array(x, dtype='O')
np.array(x, dtype='object')
np.array(x, dtype='V1000000000')
np.array(x, dtype='S1000000000')
np.array(x, dtype='U100000000')
np.array(x, dtype='f4,O')
np.array(x, dtype='float32, object')
np.array(x, dtype='(1000000000,)f4')
np.array(x, dtype=[('a', 'O')])
np.array(x, dtype={'names': ['a'], 'formats': ['O']})
np.array(x, dtype=lambda: 0)
np.array(x, dtype='M8[s]')
np.zeros((2,), 'O')
np.empty((2,), dtype='O')
np.full((2,), 'text')
np.full((2,), None)
np.zeros_like(x, 'O')
x.astype('O')
x.astype('S1000000000')
tf.cast(x, 'string')
tf.cast(x, tf.string)
ops.cast(x, 'object')
np.sum(x, out=x)
np.add(x, x, out=x)
np.add(x, x, where=x > 0)
np.add(x, x, dtype='O')
np.add(x, x, casting='unsafe')
np.add(x, x, subok=True)
np.add(x, x, signature='OO->O')
np.add(x, x, extobj=[1])
np.sum(x, dtype='O')
np.mean('text')
np.mean(np.mean)
np.mean(tf)
np.mean(lambda: 0)
np.mean([x, lambda: 0])
np.sum(x, axis='0')
np.sum(x, axis=1.5)
np.sum(x, axis=10 ** 20)
np.sum(x, axis=[0, lambda: 0])
np.concatenate('text')
np.concatenate([x, 'text'])
np.concatenate([x, None])
np.concatenate(lambda: 0)
np.reshape(x, 'text')
np.reshape(x, (-1, -1))
np.reshape(x, (-2, 3))
np.reshape(x, (1,) * 100)
np.reshape(x, x)
np.reshape(x, (7,))
np.reshape(x, (10 ** 30,))
np.reshape(x, (float('nan'), 2))
np.transpose(x, (0, 1))
np.squeeze(x, 5)
np.pad(x, 1, mode=lambda v, *a: v)
np.pad(x, 1, mode='edge2')
np.pad(x, -1)
np.pad(x, ((0, -1),))
np.zeros(-1)
np.zeros((2, -3))
np.zeros(float('nan'))
np.zeros(1.5)
np.zeros('2')
np.zeros(None)
np.eye(-2)
np.tile(x, -1)
np.repeat(x, -1)
np.repeat(x, [1, 2, 3, 4, 5, -6])
np.arange(float('nan'))
np.arange(0.0, float('inf'))
np.arange(0, 5, 0)
np.arange('5')
np.linspace(0, 1, -5)
np.linspace(0, 1, 1.5)
np.split(x, 0)
np.split(x, -1)
np.take(x, [100])
np.take(x, 'text')
np.einsum('i,j->i' * 100, x, x)
np.einsum('i->j', x)
np.einsum('i;j', x, x)
np.einsum(x, [0])
np.einsum('i,i', x)
np.einsum('i', x, optimize=True)
np.linalg.inv(x)
np.linalg.norm(x, 'text')
np.clip(x, 'a', 'b')
np.where(x > 0, 'a', 'b')
np.where(x > 0, x)
np.isin(x, ['a'])
np.power(10 ** 40, 2)
np.left_shift(1, 10 ** 40)
np.float32('1.0')
np.float32(lambda: 0)
np.int64(10 ** 30)
tf.reshape(x, [x, x])
tf.concat([x, x], axis='text')
tf.map_fn('text', x)
tf.map_fn(tf, x)
tf.map_fn(lambda v: 'text', x)
tf.map_fn(lambda v: None, x)
tf.map_fn(lambda v: tf, x)
tf.cond(True, lambda: 'text', lambda: 'text')
tf.cond('a', x, x)
tf.nn.relu(x, name=lambda: 0)
tf.pad(x, [[0, 1]], mode='WEIRD')
tf.space_to_depth(x, 0)
tf.image.resize(x, (0, 0))
tf.image.resize(x, 'big')
tf.image.resize(x, (2, 2), method='bicubic2')
tf.one_hot(x, -1)
tf.one_hot(x, 'a')
tf.gather(x, [0], batch_dims=5)
tf.eye('a')
K.repeat(x, -1)
K.batch_dot(x, x, axes=0)
K.batch_dot(x, x, axes=(1, 2, 3))
K.permute_dimensions(x, 'ab')
K.switch(x, tf, tf)
K.resize_images(x, -1, -1, 'channels_last')
ops.slice(x, (0,), (-5, 1))
math.factorial(-1)
math.sqrt('4')
math.sqrt(-1.0)
math.floor(x)
math.prod([2.0, 'a'])
math.dist([1.0], [1.0, 2.0])
x.mean(out=x)
x.reshape('a')
x.astype(tf)
x.item()
x.tofile('canary')
x.dump('canary')
x.dumps()
x.ctypes
x.data
x.base
x.flags
x.view('O')
x.resize((100,))
x.setfield(1, 'f4')
x.getfield('O')
x.newbyteorder
x.tobytes()
x.tostring()
x.byteswap()
x.strides
x.flat
x.sort()
x.fill(1)
x.put(0, 1)
x.itemset(0, 1)
x.partition(1)
x.choose([x])
x.numpy()
x.__array_interface__
x.__array_struct__
x.__reduce__()
x.__array_ufunc__
"""

BOMBS = """
np.zeros(10 ** 12)
np.zeros((10 ** 6, 10 ** 6))
np.zeros((2 ** 31, 2 ** 31, 2 ** 31))
np.ones((10 ** 5,) * 4)
np.full((10 ** 6, 10 ** 6), 1.0)
np.empty(10 ** 12)
np.arange(10 ** 12)
np.arange(0.0, 1.0, 1e-12)
np.arange(0, -10 ** 12, -1)
np.linspace(0, 1, 10 ** 12)
np.logspace(0, 1, 10 ** 12)
np.eye(10 ** 6)
np.eye(2, 10 ** 12)
np.identity(10 ** 6)
np.tri(10 ** 6)
np.tile(x, 10 ** 10)
np.tile(x, (10 ** 4, 10 ** 4, 10 ** 4))
np.repeat(x, 10 ** 10)
np.repeat(x, [10 ** 9] * 6)
np.repeat([1.0], 10 ** 12, axis=0)
np.pad(x, 10 ** 10)
np.pad(x, ((10 ** 10, 0),))
np.pad(x, 10 ** 10, mode='reflect')
np.broadcast_to(x, (10 ** 10, 6))
np.outer(np.zeros(10 ** 5), np.zeros(10 ** 5))
np.kron(np.zeros(10 ** 5), np.zeros(10 ** 5))
np.add(np.zeros((10 ** 5, 1)), np.zeros(10 ** 5))
np.multiply(np.zeros((10 ** 5, 1)), np.zeros((1, 10 ** 5)))
np.where(np.zeros((10 ** 5, 1)), np.zeros((1, 10 ** 5)), 1.0)
np.meshgrid(np.zeros(10 ** 5), np.zeros(10 ** 5))
np.meshgrid(x, x, x, x, x, x, x, x, x, x, x, x)
np.diag(np.zeros(10 ** 5))
np.diagflat(np.zeros((300, 300)))
np.diag(x, 10 ** 6)
np.take(np.zeros((1, 10 ** 5)), np.zeros(10 ** 5, 'int32'), 0)
np.matmul(np.zeros((10 ** 5, 1)), np.zeros((1, 10 ** 5)))
np.dot(np.zeros((10 ** 5, 1)), np.zeros((1, 10 ** 5)))
np.tensordot(np.zeros(10 ** 5), np.zeros(10 ** 5), 0)
np.einsum('i,j->ij', np.zeros(10 ** 5), np.zeros(10 ** 5))
np.einsum('i,j,k,l,m,n,o,p,q,r,s,t,u->', x, x, x, x, x, x, x, x, x, x, x, x, x)
np.einsum('a,b,c,d,e,f,g,h,i,j,k,l', x, x, x, x, x, x, x, x, x, x, x, x)
np.einsum('i...,j...->ij...', np.zeros((10 ** 5, 1)), np.zeros((10 ** 5, 1)))
np.sum(np.zeros((10 ** 6, 0, 10 ** 6)), axis=1)
np.mean(np.zeros((10 ** 4, 0, 10 ** 6)), axis=1)
np.pad(np.zeros((10 ** 6, 0)), ((0, 0), (10 ** 6, 0)))
np.percentile(x, np.zeros(10 ** 9))
np.random.normal(0.0, 1.0, 10 ** 12)
np.random.uniform(size=(10 ** 6, 10 ** 6))
tf.zeros((10 ** 6, 10 ** 6))
tf.fill((10 ** 6, 10 ** 6), 1.0)
tf.eye(10 ** 6)
tf.range(10 ** 12)
tf.linspace(0.0, 1.0, 10 ** 12)
tf.one_hot([1, 2, 3], 10 ** 11)
tf.one_hot(tf.zeros((10 ** 5,), 'int32'), 10 ** 5)
tf.tile(x, [10 ** 10])
tf.repeat(x, 10 ** 10)
tf.pad(x, [[10 ** 10, 10 ** 10]])
tf.broadcast_to(x, (10 ** 10, 6))
tf.meshgrid(tf.zeros((10 ** 5,)), tf.zeros((10 ** 5,)))
tf.image.resize(tf.zeros((1, 2, 2, 1)), (10 ** 6, 10 ** 6))
tf.image.resize(tf.zeros((1, 2, 2, 1)), (10 ** 10, 1))
tf.image.resize_nearest_neighbor(tf.zeros((1, 2, 2, 1)), (10 ** 6, 10 ** 6))
tf.matmul(tf.zeros((10 ** 5, 1)), tf.zeros((10 ** 5, 1)), transpose_b=True)
tf.linalg.diag(tf.zeros((10 ** 5,)))
tf.random.normal((10 ** 6, 10 ** 6))
tf.sequence_mask([1, 2], 10 ** 12)
tf.nn.lrn(tf.zeros((1, 2, 2, 3)), depth_radius=10 ** 9)
tf.gather(tf.zeros((1, 10 ** 5)), tf.zeros((10 ** 5,), 'int32'))
tf.gather_nd(tf.zeros((1, 10 ** 5)), tf.zeros((10 ** 5, 1), 'int32'))
tf.add_n([tf.zeros((10 ** 5, 1)), tf.zeros((1, 10 ** 5))])
tf.squared_difference(tf.zeros((10 ** 5, 1)), tf.zeros((1, 10 ** 5)))
K.zeros((10 ** 6, 10 ** 6))
K.ones((10 ** 12,))
K.eye(10 ** 6)
K.arange(10 ** 12)
K.repeat_elements(x, 10 ** 10, 0)
K.repeat(K.zeros((2, 10)), 10 ** 10)
K.tile(x, 10 ** 10)
K.one_hot(K.zeros((3,), 'int32'), 10 ** 11)
K.temporal_padding(K.zeros((1, 2, 3)), (10 ** 10, 0))
K.spatial_2d_padding(K.zeros((1, 2, 2, 3)), ((10 ** 6, 0), (10 ** 6, 0)))
K.resize_images(K.zeros((1, 2, 2, 3)), 10 ** 5, 10 ** 5, 'channels_last')
K.batch_dot(K.zeros((1, 10 ** 5, 1)), K.zeros((1, 1, 10 ** 5)))
K.random_normal((10 ** 6, 10 ** 6))
K.random_uniform((10 ** 12,))
K.dot(K.zeros((10 ** 5, 1)), K.zeros((1, 10 ** 5)))
ops.zeros((10 ** 6, 10 ** 6))
ops.one_hot([1, 2, 3], 10 ** 11)
ops.tile(x, 10 ** 10)
ops.image.resize(ops.zeros((1, 2, 2, 1)), (10 ** 6, 10 ** 6))
keras.random.normal((10 ** 6, 10 ** 6))
x.repeat(10 ** 10)
[np.zeros((10 ** 4, 10 ** 4)) for _ in range(0, 10 ** 9)][0] if np.zeros((10 ** 9,)) is None else 1
math.factorial(10 ** 9)
math.comb(10 ** 9, 5 * 10 ** 8)
math.perm(10 ** 9)
math.prod([2 ** 4000] * 1000)
math.lcm(2 ** 4000, 2 ** 4000 - 1)
"""

# Small arrays, much work: no memory tells, the steps do.
WORK = """
np.matmul(np.zeros((3000, 3000)), np.zeros((3000, 3000), 'int64'))
np.linalg.inv(np.zeros((4000, 4000)))
np.linalg.svd(np.zeros((4000, 4000)))
np.linalg.eigh(np.zeros((4000, 4000)))
np.einsum('ij,jk,kl->il', np.zeros((900, 900)), np.zeros((900, 900)), np.zeros((900, 900)))
tf.nn.max_pool2d(tf.zeros((1, 600, 600, 1)), 500, 1, 'SAME')
tf.math.erf(np.zeros((2000, 2000)))
tf.map_fn(lambda v: v, np.zeros(10 ** 6))
"""


def lines(text):
    return text.strip().splitlines()


def refusal(source):
    x = np.arange(6, dtype="float32")
    with pytest.raises(SecureSerialError) as caught:
        made(f"lambda x: {source}")(x)
    return caught.value


@pytest.mark.parametrize("source", lines(REACHING))
def test_nothing_but_reviewed_names_is_reached(source):
    # SS102: a name that no stored function may have, before anything is restricted.
    assert refusal(source).code in ("SS102", "SS503", "SS504")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("source", lines(VALUES))
def test_values_of_other_kinds_are_refused(source):
    assert refusal(source).code in ("SS102", "SS501", "SS502", "SS503", "SS504")


@pytest.mark.parametrize("source", lines(BOMBS))
def test_sizes_are_refused_before_the_work(source):
    tracemalloc.start()
    try:
        error = refusal(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.code in ("SS502", "SS504"), error
    assert peak < MEMORY


@pytest.mark.parametrize("source", lines(WORK))
def test_work_is_counted_in_steps(source):
    assert refusal(source).code == "SS502"


def test_there_are_enough_attacks():
    assert sum(map(len, map(lines, (REACHING, VALUES, BOMBS, WORK)))) >= 350
