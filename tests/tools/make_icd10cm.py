"""Make diagnostics/data/icd10cm.xz from the public ICD-10-CM code set, once a release.

The code set is in the public domain (CDC/NCHS and CMS); `simple-icd-10-cm` packages its tabular file. It is no
dependency of NoteTrace: it holds 193 MB in memory, and a process here needs a few look-ups. To make the file anew:

    pip install simple-icd-10-cm          (into an environment of its own)
    python tests/tools/make_icd10cm.py "April 2026"
    python tests/tools/make_icd10cm.py "April 2026" --compare      (changes nothing; fails where the two differ)

The format is told in `diagnostics/parsing/icd10cm.py`.
"""

import argparse
import json
import lzma
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

TARGET = Path(__file__).resolve().parents[2] / "diagnostics" / "data" / "icd10cm.xz"
CODE = re.compile(r"[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?")

# what a title may say with or without, and the words that mean it
CONDITIONS = {
    "hyperglycemia": r"hyperglycemia",
    "hypoglycemia": r"hypoglycemia",
    "ketoacidosis": r"ketoacidosis",
    "hyperosmolarity": r"hyperosmolarity",
    "coma": r"coma",
    "complication": r"complications?",
    "bleeding": r"bleeding|hemorrhage",
    "perforation": r"perforation",
    "obstruction": r"obstruction",
    "exacerbation": r"(?:\(acute\) |acute )?exacerbation",
    "status asthmaticus": r"status asthmaticus",
    "status migrainosus": r"status migrainosus",
    "status epilepticus": r"status epilepticus",
    "aura": r"aura",
    "gangrene": r"gangrene",
    "abscess": r"abscess",
    "ulcer": r"(?:\w+ )?ulcer(?:ation)?",
    "neuropathy": r"(?:diabetic )?(?:poly|mono)?neuropathy",
    "nephropathy": r"(?:diabetic )?nephropathy",
    "retinopathy": r"(?:[\w ]+ )?retinopathy",
    "heart failure": r"heart failure",
    "foreign body": r"foreign body",
    "loss of consciousness": r"loss of consciousness",
    "psychotic features": r"psychotic (?:features|symptoms)",
    "agitation": r"agitation",
}
FIXED = {
    "right": r"\bright\b",
    "left": r"\bleft\b",
    "bilateral": r"\bbilateral\b",
    "first trimester": r"\bfirst trimester\b",
    "second trimester": r"\bsecond trimester\b",
    "third trimester": r"\bthird trimester\b",
    "initial encounter": r"\binitial encounter\b",
    "subsequent encounter": r"\bsubsequent encounter\b",
    "sequela": r"\bsequela\b",
    "type 1 diabetes": r"\btype 1 diabetes\b",
    "type 2 diabetes": r"\btype 2 diabetes\b",
    "uncomplicated": r"\buncomplicated\b",
    "acute": r"^acute\b|, acute\b",
    "chronic": r"^chronic\b|, chronic\b",
}


def traits_of(title: str) -> tuple[str, ...]:
    """Say what a code's title fixes and a note's words could contradict."""
    plain = title.lower()
    found = [name for name, words in FIXED.items() if re.search(words, plain)]
    if "acute" in plain and "chronic" in plain:
        found = [name for name in found if name not in ("acute", "chronic")]
    if "right" in found and "left" in found and "bilateral" not in found:
        found = [name for name in found if name not in ("right", "left")]
    for name, words in CONDITIONS.items():
        if re.search(rf"\bwithout (?:[\w ,-]+ (?:and|or) )?(?:mention of )?(?:{words})\b", plain):
            found.append(f"without {name}")
        elif re.search(rf"\bwith (?:[\w ,-]+ (?:and|or) )?(?:other (?:specified )?|unspecified )?(?:{words})\b", plain):
            found.append(f"with {name}")
    if re.search(r"\bnot intractable\b", plain):
        found.append("not intractable")
    elif re.search(r"\bintractable\b", plain):
        found.append("intractable")
    return tuple(sorted(found))


def packed(codes: list[str], describe: Callable[[str], str], release: str) -> bytes:
    """Give the file's bytes for the codes of one release."""
    bare = sorted((code.replace(".", ""), code) for code in codes)
    kinds: dict[tuple[str, ...], int] = {}
    records = []
    for place, (short, code) in enumerate(bare):
        following = bare[place + 1][0] if place + 1 < len(bare) else ""
        number = kinds.setdefault(traits_of(describe(code)), len(kinds))
        header = following.startswith(short)
        records.append(short.ljust(7).encode() + ((number << 1) | (not header)).to_bytes(2, "big"))
    head = {
        "release": release,
        "source": "ICD-10-CM tabular list, CDC/NCHS and CMS, public domain",
        "codes": len(records),
        "billable": sum(record[-1] & 1 for record in records),
        "traits": [list(kind) for kind in kinds],
    }
    return json.dumps(head).encode() + b"\n" + b"".join(records)


def official() -> Iterator[str]:
    """Yield the codes of the installed release, each once; chapters and blocks are none, though a block of a single
    category bears its name."""
    import simple_icd_10_cm

    every = simple_icd_10_cm.get_all_codes(with_dots=True)
    yield from dict.fromkeys(code for code in every if CODE.fullmatch(code))


def main() -> int:
    """Write the file, or compare it."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("release")
    reader.add_argument("--compare", action="store_true")
    told = reader.parse_args()
    import simple_icd_10_cm

    made = packed(list(official()), simple_icd_10_cm.get_description, told.release)
    if told.compare:
        same = lzma.decompress(TARGET.read_bytes()) == made
        print("the same" if same else "different")
        return 0 if same else 1
    TARGET.write_bytes(lzma.compress(made, preset=9 | lzma.PRESET_EXTREME))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
