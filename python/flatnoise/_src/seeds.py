"""Seed generation for layers, and stream offsets for replicas."""

import functools
import operator
import random
from collections.abc import Callable
from typing import Any

from flatnoise._src.tensorflow import keras, tf

__all__ = [
    "Draw",
    "DrawnSeed",
    "SeedGenerator",
    "are_in_step",
    "distinct_per_replica",
    "draw_next",
    "elements_on_earlier_replicas",
    "is_one_variable",
    "next_seed",
    "state_of",
    "stateless_seed",
    "stateless_seed_of_state",
]

# Draws a pair of integers from a layer's seed generator.
Draw = Callable[[Any], Any]
draw_next: Draw = operator.methodcaller("next")

_PHILOX = 1
# The counter increment of TensorFlow's generators per draw.
_STEP = 256
# Keras's modulus, one less than the largest int32.
_MODULUS = 2**31 - 2


class SeedGenerator(keras.random.SeedGenerator):  # type: ignore[misc]
    """A `keras.random.SeedGenerator` that reads and advances its state atomically.

    It returns the same pairs as Keras's generator: `[seed, number of previous draws]`. Keras reads
    its state and then advances it, so concurrent calls, as in `tf.data.Dataset.map` with
    `num_parallel_calls`, may draw the same pair. Here, each call draws a different pair.

    The state is that of a `tf.random.Generator` with the Philox algorithm: an int64 tensor of shape
    `[3]` with the two words of a counter, which each draw increments by 256, and the seed.

    Args:
        seed: Integer, or `None` for a random seed (from Python's `random`, as in Keras).
        name: String, optional name.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        """Initialize the generator. The class documents the arguments."""
        if seed is None:
            seed = random.randint(1, 10**9)
        super().__init__(seed, name)
        aggregation = self.state.aggregation  # "none", which Keras 3.4 doesn't know
        self.state: Any = keras.Variable(
            lambda shape, dtype: tf.constant([0, 0, seed], dtype),
            shape=(3,),
            dtype="int64",
            trainable=False,
            aggregation=aggregation,
            name="seed_generator_state",
        )

    def next(self, ordered: bool = True) -> Any:
        """Draws a pair, an int64 tensor of shape `[2]`. Draws are always ordered."""
        return _pair_of(self.next_state())

    def next_state(self) -> Any:
        """Draws like `next`, but returns the previous state. Ops accept it in place of the pair."""
        return _read_and_advance(self.state)


def _pair_of(state: Any) -> Any:
    # The last word is the seed. The first word has the number of draws in its upper bits.
    words = tf.raw_ops.StridedSlice(
        input=state,
        begin=_constant(0),
        end=_constant(0),
        strides=_constant(-2),
        begin_mask=1,
        end_mask=1,
    )
    return tf.raw_ops.RightShift(x=words, y=_constant(0, 8))


def state_of(generator: Any) -> Any:
    """The state of a `SeedGenerator` that continues the sequence of a Keras generator."""
    seed, draws = tf.unstack(tf.cast(generator.state.value, tf.int64))
    return tf.stack([draws * _STEP, tf.zeros_like(draws), seed])


def _constant(*values: int) -> Any:
    """An int64 vector, cached in eager mode, because creating it is slower than using it."""
    if tf.executing_eagerly():
        return _eager_constant(values)
    return tf.constant(values, tf.int64)


@functools.cache
def _eager_constant(values: tuple[int, ...]) -> Any:
    return tf.constant(values, tf.int64)


def _read_and_advance(state: Any) -> Any:
    variable = state.value
    if is_one_variable(variable):
        return tf.raw_ops.RngReadAndSkip(resource=variable.handle, alg=_PHILOX, delta=1)
    # Updates the copies of all replicas, or the value in a `keras.StatelessScope`.
    before = tf.identity(variable)
    state.assign(before + _constant(_STEP, 0, 0))
    return before


def is_one_variable(value: Any) -> bool:
    """Whether `value` is a single variable here, rather than a copy per replica."""
    if not isinstance(value, tf.distribute.DistributedValues):
        return isinstance(value, tf.Variable)
    if tf.distribute.get_strategy() is not value.distribute_strategy:
        return False
    return not tf.distribute.in_cross_replica_context()


def stateless_seed(pair: Any) -> Any:
    """Converts a pair from a generator to a seed for stateless ops.

    Uses the arithmetic of Keras's TensorFlow backend, so the same state gives the same noise as in
    `keras.random.normal` and `keras.random.uniform`.
    """
    return tf.raw_ops.Cast(x=tf.raw_ops.FloorMod(x=pair, y=_constant(_MODULUS)), DstT=tf.int32)


def stateless_seed_of_state(state: Any) -> Any:
    """The seed for stateless ops that a `SeedGenerator` in this state draws.

    The compiled ops do the same in `StreamFromState` in cc/core/stream.h.
    """
    return stateless_seed(_pair_of(state))


def next_seed(generator: Any, draw: Draw = draw_next) -> Any:
    """Draws the next seed for stateless ops from a Keras generator or a `SeedGenerator`."""
    pair = draw(generator)
    # Keras 3.4 draws uint32.
    return stateless_seed(pair) if pair.dtype == tf.int64 else tf.cast(pair, tf.int32)


class DrawnSeed:
    """The next seed of a generator for the ops, drawn on first use.

    It is a pair, or the state of a `SeedGenerator`, which the ops accept in place of the pair.
    """

    __slots__ = ("_generator", "_seed")

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._seed: Any = None

    def tensor(self) -> Any:
        """The seed, the same on every call."""
        if self._seed is None:
            generator = self._generator
            is_ours = isinstance(generator, SeedGenerator)
            self._seed = generator.next_state() if is_ours else next_seed(generator)
        return self._seed


def _context_of_several_replicas() -> Any:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return None
    return context


def are_in_step(generator: SeedGenerator) -> bool:
    """Whether each replica has its own copy of the generator's state, or is the only replica.

    All replicas share a variable created outside the strategy's scope. What they draw then depends
    on their order of execution.
    """
    if _context_of_several_replicas() is None:
        return True
    value = generator.state.value
    return (
        isinstance(value, tf.distribute.DistributedValues)
        and value.distribute_strategy is tf.distribute.get_strategy()
    )


def distinct_per_replica(generator: SeedGenerator) -> Any:
    """The generator itself, or in a strategy with several replicas, a pair unique to the replica.

    The state of a seed generator is the same on every replica, and so would be the noise. A drawn
    pair has unused bits for the replica's number. The pair of replica 0 is unchanged, so a single
    replica draws the same as a model without a strategy.
    """
    context = _context_of_several_replicas()
    if context is None:
        return generator
    pair = tf.cast(stateless_seed(generator.next()), tf.int64)
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    return pair + tf.stack([replica * 2**32, tf.zeros_like(replica)])


def elements_on_earlier_replicas(inputs: Any) -> Any:
    """The number of elements of the global batch before this replica's `inputs`.

    The replicas exchange the sizes of their shards, which may differ or be 0. All replicas must
    call this together.
    """
    context = _context_of_several_replicas()
    if context is None:
        return 0
    sizes = context.all_gather(tf.reshape(tf.size(inputs, tf.int64), [1]), axis=0)
    return tf.math.cumsum(sizes, exclusive=True)[context.replica_id_in_sync_group]
