"""The only folder that imports Keras."""
