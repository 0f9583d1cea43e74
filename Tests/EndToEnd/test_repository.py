"""The repository's own rules, held against its files."""

import json
import re
import subprocess

import pytest

LONGEST_FILE = 450
# Words of work left undone.
UNDONE = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
# Absolute paths that only a developer's machine has.
MACHINE = re.compile(r"(?<![\w.}])/(?:ro" + r"ot|ho" + r"me/\w+|wo" + r"rk|Us" + r"ers/\w+)/\w")
# Who may speak to the kernel and the C shim: Platform is the house's way to both. Aggregation's storage reserves address space and reads
# through the shim's prefetch; Protocol and Bytes use the shim's or the C library's arithmetic alone.
# JSON that comes in is decoded by the toolchain's library, in one file.
FOREIGN = {
    "Glibc": {"Platform", "Aggregation"},
    "CLinux": {"Platform", "Aggregation", "Protocol"},
    "Synchronization": None,
    "FoundationEssentials": {"HTTPQuery"},
}
IMPORT = re.compile(r"^(?:@\w+(?:\(\w+\))? )*(?:package |public |internal )?import (?:struct |func |enum )?(\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def files(root):
    """Paths that git knows, and their text."""
    listed = subprocess.check_output(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=root).decode().split("\0")
    texts = {}
    for name in filter(None, listed):
        path = root / name
        try:
            texts[name] = path.read_text(encoding="utf-8") if path.is_file() else ""
        except UnicodeDecodeError:
            continue
    return texts


@pytest.fixture(scope="module")
def targets(root):
    """Package.swift's own account: a target's name, and whom it depends on."""
    package = json.loads(subprocess.check_output(["swift", "package", "dump-package"], cwd=root))
    return {target["name"]: {entry["byName"][0] for entry in target["dependencies"]} for target in package["targets"]}


def imports_of(target, files):
    folder = f"Sources/{target}/"
    found = {}
    for name, text in files.items():
        if name.startswith(folder) and name.endswith(".swift"):
            for module in IMPORT.findall(text):
                found.setdefault(module, name)
    return found


def test_every_import_is_in_the_table_of_package_swift_and_every_entry_is_imported(files, targets):
    for target, allowed in targets.items():
        if target.endswith("Tests"):
            continue
        ours = imports_of(target, files).keys() & targets.keys()
        assert ours <= allowed, f"{target} imports {ours - allowed}"


def test_only_the_lowest_rooms_speak_to_the_kernel(files, targets):
    for target in targets:
        if target.endswith("Tests") or target == "Benchmark":
            continue
        for module, where in imports_of(target, files).items():
            if module in targets and module not in FOREIGN:
                continue
            assert module in FOREIGN, f"{where} imports {module}"
            assert FOREIGN[module] is None or target in FOREIGN[module], f"{where} imports {module}"


def test_one_file_alone_decodes_with_the_toolchain_s_library(files):
    named = [name for name, text in files.items() if name.startswith("Sources/") and "import FoundationEssentials" in text]
    assert named == ["Sources/HTTPQuery/Message/JSONValue.swift"]


def test_no_file_of_source_is_too_long(files):
    written = (".swift", ".py", ".h", ".c", ".sh", ".js", ".css", ".html")
    kept = {name: text.count("\n") for name, text in files.items() if name.endswith(written)}
    assert not {name: lines for name, lines in kept.items() if lines > LONGEST_FILE}


def test_every_file_of_the_pages_is_in_the_program(root, files):
    embedded = re.findall(r'#embed "pages/(.*)"', files["Sources/Assets/Assets.c"])
    rows = re.findall(r'FOOTFALL_ROW\("(.*?)"', files["Sources/Assets/Assets.c"])
    kept = sorted(path.name for path in (root / "Sources/Assets/pages").iterdir())
    assert sorted(embedded) == kept == sorted(rows)


def test_nothing_is_left_undone_and_no_path_of_a_machine_is_named(files):
    for name, text in files.items():
        if name.startswith("Tests/Corpus/"):
            continue
        for rule in (UNDONE, MACHINE):
            found = rule.search(text)
            assert not found, f"{name}:{text[: found.start()].count(chr(10)) + 1} {found[0]!r}"


def test_every_file_with_unsafe_code_says_why_it_is_safe(files):
    kept = {name: text for name, text in files.items() if name.startswith("Sources/") and name.endswith(".swift")}
    assert not [name for name, text in kept.items() if re.search(r"^(?!\s*//).*\bunsafe\b", text, re.M) and "// Safe:" not in text]


def test_the_runners_are_executable(root):
    for name in (".ci/run", "Tests/run"):
        assert (root / name).stat().st_mode & 0o111 == 0o111
