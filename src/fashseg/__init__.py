"""fashseg: from one line of configuration to a finished, explained image experiment."""

__version__ = "0.1.0"
