"""Pictures: pure functions from numbers to matplotlib figures and pixels, shared by the page and TensorBoard."""
