"""Packages that only some options need: an extra of this package brings each. Nothing of them is imported to ask."""

import importlib.util
from collections.abc import Sequence

from fashseg.errors import UserError


def require(what: str, packages: Sequence[str], extra: str, otherwise: str = "") -> None:
    """Refuse at once what needs packages that are not installed.

    Args:
        what: the option that asks for them, as it is typed.
        packages: their names as they are imported.
        extra: of fashseg, which brings them.
        otherwise: another way out, as "choose format=torch".

    Raises:
        UserError: one of them is missing.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise UserError(
            f"{what} needs {' and '.join(missing)}, which {are} not installed.",
            f"pip install 'fashseg[{extra}]'" + (f", or {otherwise}." if otherwise else ""),
        )
