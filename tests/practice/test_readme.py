"""The tables of the practice's README are the data's."""

from pathlib import Path

from diagnostics import practice
from diagnostics.practice import FAULTS, VARIATIONS

README = Path(practice.__file__).parent / "README.md"


def fault_table() -> str:
    lines = ["| fault | what a user sees | cause to find | failure mode | certainty |", "|---|---|---|---|---|"]
    lines += [f"| `{f.name}` | {f.symptom} | `{f.cause}` | {f.failure_mode} | {f.certainty} |" for f in FAULTS.values()]
    return "\n".join(lines)


def variation_table() -> str:
    lines = ["| variation | what is odd |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{v.name}` | {v.says} |" for v in VARIATIONS.values())])


def between(text: str, name: str) -> str:
    return text.split(f"<!-- {name} -->\n")[1].split(f"<!-- end of {name} -->")[0].strip()


def test_the_readme_lists_every_fault_as_it_is():
    assert between(README.read_text(), "faults") == fault_table()


def test_the_readme_lists_every_variation_as_it_is():
    assert between(README.read_text(), "variations") == variation_table()


def test_the_readme_names_every_file():
    text = README.read_text()
    for path in README.parent.glob("*.py"):
        assert path.name.startswith("__") or f"`{path.name}`" in text, path.name
