"""Data sets in chunks, read while they are used: from a folder, or from object storage by way of a bounded cache.

``fashseg.prepare data=NAME shards=PLACE`` writes one: ``info.json``, see `fashseg.data.streaming.description`, and the
folders ``train``, ``val`` and ``test``, each a data set of litdata's, which litdata reads too: ``index.json``, and
chunks of equally many images. Here they are read without litdata's own reader: that one unpickles what an index asks it
to, and takes images one by one; these files may be anybody's, and a batch is taken out of a chunk at once.
"""
