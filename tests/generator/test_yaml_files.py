"""What is accepted as YAML: nothing that two versions of it read differently."""

from __future__ import annotations

import pytest

from generator.yaml_files import DescriptionError, parse_yaml

QUOTE = "is read differently by versions of YAML; quote it, or rewrite it"


def refusal(text: str) -> str:
    with pytest.raises(DescriptionError) as caught:
        parse_yaml(text, "file.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    "scalar",
    [
        *("yes", "No", "on", "OFF", "True", "~", "NULL"),
        *("010", "0o17", "0x1F", "1_000", "+7", "1:30", "1e3", ".5", "5.", ".inf", "-.inf", ".nan"),
        *("!!binary aGk=", "!thing 3", "="),
    ],
)
def test_a_scalar_that_versions_of_yaml_read_differently_is_refused(scalar: str) -> None:
    value = scalar.rpartition(" ")[2]
    assert refusal(f"a: 1\nb: {scalar}") == (f"file.yaml:2: `{value}` {QUOTE}")


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        *(("true", True), ("false", False), ("null", None), ("", None)),
        *(("7", 7), ("-7", -7), ("0", 0), ("0.25", 0.25)),
        *(('"yes"', "yes"), ("'010'", "010"), ("3.1.0", "3.1.0"), ("2026-11-20", "2026-11-20")),
        *(("yes and no", "yes and no"), ("16k", "16k")),
    ],
)
def test_all_other_scalars_are_what_they_look_like(scalar: str, value: object) -> None:
    content = parse_yaml(f"a: {scalar}", "file.yaml").content
    assert content == {"a": value}
    assert type(content["a"]) is type(value)


def test_a_merge_key_is_refused_with_what_to_do_instead() -> None:
    text = "base: &base {a: 1}\nother:\n  <<: *base\n"
    assert refusal(text) == "file.yaml:3: a merge key; write out what it would merge"


def test_a_key_that_is_no_scalar_is_refused() -> None:
    assert refusal("? [a]\n: 1") == "file.yaml:1: a key that is not a word; fix it"


def test_an_alias_stands_for_a_copy() -> None:
    content = parse_yaml("a: &a {b: [1]}\nc: *a\n", "file.yaml").content
    assert content == {"a": {"b": [1]}, "c": {"b": [1]}}
    assert content["a"] is not content["c"]


def test_an_alias_inside_of_what_it_stands_for_is_refused() -> None:
    assert refusal("a: &a\n  - *a\n") == (
        "file.yaml:1: an alias of what it is in; point to a schema by `$ref`"
    )


def test_a_part_is_found_at_its_line() -> None:
    file = parse_yaml("a:\n  - b: 1\n  - {200: x,\n     c: y}\n", "file.yaml")
    pointers: list[tuple[str | int, ...]] = [
        (),
        ("a",),
        ("a", 0, "b"),
        ("a", 1, "200"),
        ("a", 1, "c"),
    ]
    assert [file.line(pointer) for pointer in pointers] == [1, 1, 2, 3, 4]


def test_the_line_of_a_missing_part_is_that_of_what_it_would_be_in() -> None:
    file = parse_yaml("a:\n  b:\n    c: 1\n", "file.yaml")
    assert [file.line(("a", "b", "d")), file.line(("a", "b", "c", "d"))] == [2, 3]
