"""From text to something that runs: loading, the checks at the door, training, files."""
