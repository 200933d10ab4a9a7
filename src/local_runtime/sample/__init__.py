"""The bundled sample: generated, always the same, with every quirk of the real data."""
