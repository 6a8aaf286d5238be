"""Networks of other libraries as our own: timm's classifiers, and the segmenters of segmentation_models_pytorch.

A library is imported when one of its networks is built. Nothing is downloaded to build one: weights that others have
trained are brought in once, when a training begins (`beginning`).
"""
