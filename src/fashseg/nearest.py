"""The known name that somebody meant who wrote one that does not exist. Imports nothing of the project."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word``: by all of it, else by its last part (``lr``: ``optimizer.lr``) or its end."""
    import difflib  # where nothing is wrong, nothing is compared

    names = sorted(set(known))
    leaf = word.rpartition(".")[2]
    for name in difflib.get_close_matches(word, names, n=5, cutoff=0.75):
        # Of the same group, trainer.foo and trainer.nodes are alike for the group's name alone.
        if difflib.SequenceMatcher(None, leaf, name.rpartition(".")[2]).ratio() >= 0.5:
            return name
    same_leaf = [name for name in names if name.rpartition(".")[2] == leaf]
    if same_leaf:
        return (difflib.get_close_matches(word, same_leaf, n=1, cutoff=0) or same_leaf)[0]
    # By another command's or another library's name: score_flips is flips, max_epochs is epochs.
    ends = [name for name in names if leaf.endswith(f"_{name.rpartition('.')[2]}")]
    if len(ends) == 1:
        return ends[0]
    leaves = {name.rpartition(".")[2]: name for name in reversed(names)}
    close = difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.7)
    return leaves[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The way out of a name that does not exist."""
    match = nearest(word, known)
    return f"Did you mean {match}?" if match else otherwise
