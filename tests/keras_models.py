"""Models of Keras layers, for the tests of their replacements."""

import keras


def encoder(dropout=0.2, seed=3, blocks=2):
    """A transformer encoder with dropout in the attention too, built like KerasHub's."""
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((6, 8))
    for _ in range(blocks):
        attention = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=dropout)
        attended = keras.layers.Dropout(dropout)(attention(x, x))
        x = keras.layers.LayerNormalization()(keras.layers.add([x, attended]))
        hidden = keras.layers.Dense(16, activation="gelu")(x)
        hidden = keras.layers.Dropout(dropout)(keras.layers.Dense(8)(hidden))
        x = keras.layers.LayerNormalization()(keras.layers.add([x, hidden]))
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(pooled))


def mixed(seed=3):
    """Every noise layer of Keras, on images, with GaussianNoise before Flatten."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            keras.layers.Conv2D(4, 3),
            keras.layers.SpatialDropout2D(0.3),
            keras.layers.AlphaDropout(0.1),
            keras.layers.GaussianDropout(0.1),
            keras.layers.GaussianNoise(0.3),
            keras.layers.Flatten(),
            keras.layers.Dense(8),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )
