"""The seeds that layers draw, and the place of a replica's elements in the stream of a seed."""

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

# Gives a pair of integers for what a layer has as its seed generator.
Draw = Callable[[Any], Any]
draw_next: Draw = operator.methodcaller("next")

_PHILOX = 1
# By what TensorFlow's generators move their counter on for each draw.
_STEP = 256
# Keras's: one less than the largest int32.
_MODULUS = 2**31 - 2


class SeedGenerator(keras.random.SeedGenerator):  # type: ignore[misc]
    """A `keras.random.SeedGenerator` that is read and advanced in one step.

    It gives the pairs that Keras's gives: `[seed, number of draws before]`. Keras reads its state
    and then advances it, so that calls at the same time, as in `tf.data.Dataset.map` with
    `num_parallel_calls`, may draw the same pair. Here each draws its own.

    The state is that of a `tf.random.Generator` with the Philox algorithm, int64 of shape `[3]`:
    the two words of a counter, which each draw moves on by 256, and the seed.

    Args:
        seed: Integer, or `None` for a random one (of Python's `random`, as in Keras).
        name: String, optional name.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        """Makes the generator; the class tells of the arguments."""
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
        """Draws a pair, an int64 tensor of shape `[2]`; always in order."""
        return _pair_of(self.next_state())

    def next_state(self) -> Any:
        """Draws as `next` does, and returns the state before, which ops take for the pair."""
        return _read_and_advance(self.state)


def _pair_of(state: Any) -> Any:
    # The last word and the first: the seed, and the draws in the counter's upper bits.
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
    """The state in which a `SeedGenerator` goes on as one of Keras's own does."""
    seed, draws = tf.unstack(tf.cast(generator.state.value, tf.int64))
    return tf.stack([draws * _STEP, tf.zeros_like(draws), seed])


def _constant(*values: int) -> Any:
    """An int64 vector; for an eager call made once, since that takes longer than using it."""
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
    # All replicas' copies at once, or a stand-in of a `keras.StatelessScope`.
    before = tf.identity(variable)
    state.assign(before + _constant(_STEP, 0, 0))
    return before


def is_one_variable(value: Any) -> bool:
    """Whether `value` stands for one variable here, and not for a copy on each replica."""
    if not isinstance(value, tf.distribute.DistributedValues):
        return isinstance(value, tf.Variable)
    if tf.distribute.get_strategy() is not value.distribute_strategy:
        return False
    return not tf.distribute.in_cross_replica_context()


def stateless_seed(pair: Any) -> Any:
    """The seed of stateless ops for a pair that a generator gave.

    The arithmetic is that of Keras's TensorFlow backend: the same state gives the same noise as
    `keras.random.normal` and `keras.random.uniform`.
    """
    return tf.raw_ops.Cast(x=tf.raw_ops.FloorMod(x=pair, y=_constant(_MODULUS)), DstT=tf.int32)


def stateless_seed_of_state(state: Any) -> Any:
    """The seed of stateless ops that a `SeedGenerator` in this state draws.

    The compiled ops find it by themselves: `StreamFromState` in cc/core/stream.h is the same.
    """
    return stateless_seed(_pair_of(state))


def next_seed(generator: Any, draw: Draw = draw_next) -> Any:
    """The next seed of stateless ops of a generator, Keras's own or one of these."""
    pair = draw(generator)
    # Keras 3.4 draws uint32.
    return stateless_seed(pair) if pair.dtype == tf.int64 else tf.cast(pair, tf.int32)


class DrawnSeed:
    """The next seed of a generator as the ops take it, drawn when it is first asked for.

    It is a pair, or the state of a `SeedGenerator`, which the ops take for the pair.
    """

    __slots__ = ("_generator", "_seed")

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._seed: Any = None

    def tensor(self) -> Any:
        """The same on every call."""
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
    """Whether each replica here has a copy of the generator's state of its own, or is the only one.

    A variable made outside the strategy's scope is one for all replicas: what they draw depends on
    which comes first.
    """
    if _context_of_several_replicas() is None:
        return True
    value = generator.state.value
    return (
        isinstance(value, tf.distribute.DistributedValues)
        and value.distribute_strategy is tf.distribute.get_strategy()
    )


def distinct_per_replica(generator: SeedGenerator) -> Any:
    """A seed for a function: the generator; of several replicas, a pair that each has for itself.

    The state of a seed generator is the same on every replica, and so would be the noise. A pair
    that is drawn leaves bits free for the replica's number. Replica 0 keeps its pair: one replica
    draws what a model without a strategy draws.
    """
    context = _context_of_several_replicas()
    if context is None:
        return generator
    pair = tf.cast(stateless_seed(generator.next()), tf.int64)
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    return pair + tf.stack([replica * 2**32, tf.zeros_like(replica)])


def elements_on_earlier_replicas(inputs: Any) -> Any:
    """How many elements of the global batch come before those of this replica's `inputs`.

    The replicas tell each other the sizes of their shares, so these may differ, or be 0. All have
    to call this together.
    """
    context = _context_of_several_replicas()
    if context is None:
        return 0
    sizes = context.all_gather(tf.reshape(tf.size(inputs, tf.int64), [1]), axis=0)
    return tf.math.cumsum(sizes, exclusive=True)[context.replica_id_in_sync_group]
