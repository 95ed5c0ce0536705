"""A transformer of one block reads three chapters of a book, says how well it guesses the next character, and writes on by itself."""

import numpy as np

import symbackprop as sbp
from symbackprop.data import alice, characters, windows

NUMBERS, ALPHABET = characters(alice())
TRAINING = len(NUMBERS) * 9 // 10  # the last tenth is only read at the end
TIME = 32

tokens = sbp.Input(TIME, dtype="int64")
h = sbp.PositionalEncoding()(sbp.Embedding(len(ALPHABET), 32)(tokens))
h = h + sbp.Attention(heads=4, causal=True)(sbp.LayerNorm()(h))
h = h + sbp.Dense(32)(sbp.Dense(128, activation="gelu")(sbp.LayerNorm()(h)))
scores = sbp.Dense(len(ALPHABET))(sbp.LayerNorm()(h))
net = sbp.Network(inputs=tokens, outputs=scores, loss="softmax_cross_entropy", name="transformer")
EPOCHS = 20
OPTIMIZER = sbp.Adam(sbp.CosineDecay(0.005, updates=EPOCHS * 55))
BATCH = 16
DTYPE = "float32"


def data() -> tuple[np.ndarray, np.ndarray]:
    """Pieces of the text, and for every character of them the next one."""
    return windows(NUMBERS[:TRAINING], TIME)


if __name__ == "__main__":
    params = net.init(seed=0, dtype=DTYPE)
    program = net.compile(dtype=DTYPE, batch=BATCH)
    print(program.fit(params, *data(), optimizer=OPTIMIZER, epochs=EPOCHS, batch_size=BATCH, seed=0))
    x, y = windows(NUMBERS[TRAINING:], TIME)
    often = np.bincount(NUMBERS[:TRAINING], minlength=len(ALPHABET)) + 1
    by_frequency = -np.log2(often / often.sum())[y].mean()
    print(f"bits per character: {program.evaluate(params, x, y)['loss'] / np.log(2):.2f}, by frequency alone {by_frequency:.2f}")
    rng, written = np.random.default_rng(0), list(x[0])
    for _ in range(200):
        scores = program.predict(params, np.array(written[-TIME:])[None])[0, -1]
        written.append(int(np.argmax(scores + rng.gumbel(size=scores.shape))))  # Gumbel noise: a draw from softmax(scores)
    print("".join(ALPHABET[k] for k in written))
