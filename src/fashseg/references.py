"""References from one option to another in the config.yaml of a run folder, looked up without OmegaConf's resolvers.

A run writes values, so its folder needs no references; but files are edited, and ``split_seed: ${seed}`` is clear.
``${oc.env:NAME}`` and the like are refused: whoever sends a run folder is not to read the environment of who opens it.
"""

import re
from typing import Any

from fashseg.untrusted import MOST_BYTES, RefusedError

MOST_REFERENCES = 200

# Backslashes before it say whether it is meant; the name is a dotted path.
_REFERENCE = re.compile(r"(?P<slashes>\\*)\$\{(?:(?P<name>[\w-]+(?:\.[\w-]+)*)\})?")


def without_references(content: dict[str, Any]) -> dict[str, Any]:
    """Nested dictionaries and lists in which what refers to another value is that value.

    A reference to what is not there stays as it is; so does ``\\${``, which is no reference but text.

    Raises:
        RefusedError: a reference is more than a dotted path, refers to itself by others, to a group or a list, or there
            are too many of them.
    """
    return _Lookup(content).tree(content)  # type: ignore[no-any-return]


def escaped(value: Any) -> Any:
    """The same nested values as OmegaConf is to be given them: what looks like a reference in them is text.

    OmegaConf takes ``\\${`` for text, and of backslashes in front of it half.
    """
    if isinstance(value, dict):
        return {key: escaped(inside) for key, inside in value.items()}
    if isinstance(value, list):
        return [escaped(inside) for inside in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


class _Lookup:
    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.count = 0
        self.length = 0

    def tree(self, node: Any) -> Any:
        if isinstance(node, dict):
            for key in node:
                if "${" in key:
                    raise RefusedError(f"its key {key:.60} holds a reference")
            return {key: self.tree(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.tree(value) for value in node]
        return self.value(node, ())

    def value(self, value: Any, above: tuple[str, ...]) -> Any:
        """A value; ``above`` are the names by which it was come to."""
        if not isinstance(value, str) or "${" not in value:
            return value
        matches = list(_REFERENCE.finditer(value))
        self.count += len(matches)
        if self.count > MOST_REFERENCES:
            raise RefusedError(f"it holds more than {MOST_REFERENCES} references")
        for match in matches:
            self.refuse(match, value, above)
        if len(matches) == 1 and matches[0][0] == value and matches[0]["name"] and not matches[0]["slashes"]:
            return self.at(matches[0]["name"], value, above)
        text = _REFERENCE.sub(lambda match: self.text(match, above), value)
        self.length += len(text)
        if self.length > MOST_BYTES:
            raise RefusedError("its references come to more than it could hold")
        return text

    def refuse(self, match: re.Match[str], value: str, above: tuple[str, ...]) -> None:
        if match["slashes"] and len(match["slashes"]) % 2:
            return
        if match["slashes"] or not match["name"]:
            raise RefusedError(
                f"{value[match.start() :]:.60} is no plain reference to another option, and is not looked up"
            )
        if match["name"] in above:
            raise RefusedError(f"its value {match['name']} refers to itself")

    def text(self, match: re.Match[str], above: tuple[str, ...]) -> str:
        if match["slashes"]:
            return match[0]
        found = self.at(match["name"], match[0], above)
        return str(found)

    def at(self, name: str, otherwise: str, above: tuple[str, ...]) -> Any:
        node: Any = self.content
        for part in name.split("."):
            if not isinstance(node, dict) or part not in node:
                return otherwise
            node = node[part]
        if isinstance(node, (dict, list)):
            raise RefusedError(f"${{{name}}} refers to more than one value")
        return self.value(node, (*above, name))
