"""Blocks: what they refuse, and what they say about themselves."""

import base64

import pytest

from fashseg.pages.blocks import Cell, Gallery, Legend, Page, Picture, Section, Table


def picture(**options: object) -> Picture:
    return Picture(**{"name": "p", "alt": "a picture", "media_type": "image/png", "data": b"\x89PNG", **options})


def test_picture_travels_as_data_uri() -> None:
    head, _, content = picture().uri.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(content) == b"\x89PNG"


@pytest.mark.parametrize("options", [{"media_type": "text/html"}, {"media_type": 'image/png" x="'}, {"width": 0}])
def test_pictures_of_other_kinds_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        picture(**options)


@pytest.mark.parametrize("colour", ["red", "#12345", "#1234567", "#12345g", "url(http://x.invalid)", "#123456\n"])
def test_other_colours_are_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="#RRGGBB"):
        Cell("", colour=colour)
    with pytest.raises(ValueError, match="#RRGGBB"):
        Legend([("name", colour)])


@pytest.mark.parametrize("anchor", ["", "1st", "two words", 'a" onclick="', "A", "a\n"])
def test_other_anchors_are_refused(anchor: str) -> None:
    with pytest.raises(ValueError, match="anchor"):
        Section("title", anchor, [])


def test_anchors_of_a_page_differ() -> None:
    with pytest.raises(ValueError, match="same anchor"):
        Page("", "", [], [], [Section("a", "here", []), Section("b", "here", [])], "")


def test_rows_have_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="1 cells in a table of 2"):
        Table(["a", "b"], [[Cell("1")]])
    with pytest.raises(ValueError, match="1 cells in a table of 2"):
        Table(["a", "b"], [], footer=[[Cell("1")]])
    with pytest.raises(ValueError, match="numeric"):
        Table(["a", "b"], [], numeric=frozenset({2}))


def test_rows_are_named_by_their_first_words() -> None:
    row = [Cell("7", 7), Cell("#112233", colour="#112233"), Cell(""), Cell("window"), Cell("more")]
    columns = ["value", "colour", "", "class", "note"]
    assert Table(columns, [row], numeric=frozenset({0})).header_column == 3
    assert Table(["value"], [[Cell("7", 7)]], numeric=frozenset({0})).header_column is None
    assert Table(["class"], [[Cell("window", colour="#112233")]]).header_column == 0


def test_galleries_know_thumbnails() -> None:
    assert Gallery("", [("", [picture(pixelated=True)])]).pixelated
    assert not Gallery("", [("", [picture(pixelated=True)]), ("", [picture()])]).pixelated
