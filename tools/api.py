"""Pages that list a package room by room, written from its docstrings: nothing is imported and nothing is run.

A room is a folder of the package; the modules that lie in none are a room of their own, named as the package is. Listed
is what has a public name: classes with their fields and methods, functions with their arguments. tools/build_site.py
puts the pages on the web site.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path

WIDTH = 88  # of a signature, in characters
MARKUP = re.compile(r"([\\*_{}\[\]<>$|~#!&@^%])")
NAMED = re.compile(r"^(\w+(?:, \w+)*): ")  # "steps, guidance: what they are", as docstrings here describe arguments
LIST_MARK = re.compile(r"^(\d*)([-+=.)])")  # what would begin a list, or make a title of the line above
Function = ast.FunctionDef | ast.AsyncFunctionDef


def api_pages(package: Path) -> dict[str, str]:
    """Return {name: Markdown} of the package in a folder: "index", and a page for each room."""
    rooms = [package, *(path.parent for path in sorted(package.glob("*/__init__.py")))]
    pages = {room.name: room_page(room, package) for room in rooms}
    rows = [f"| [{room.name}]({room.name}.md) | {prose(summary(room / '__init__.py'))} |" for room in rooms]
    table = "\n".join(["| room | what is in it |", "|---|---|", *rows])
    tree = "\n".join(["```{toctree}", ":hidden:", *pages, "```"])
    told = f"All public names of the package `{package.name}`, from its own docstrings. A room is a folder of it."
    return {"index": "\n\n".join(["# The package, room by room", told, table, tree]) + "\n"} | pages


def room_page(room: Path, package: Path) -> str:
    """Return the page of one room, the whole of its subfolders included; of the package itself, only its own files."""
    files = sorted(room.glob("*.py") if room == package else room.rglob("*.py"))
    files = [file for file in files if public(file.stem) or file.stem == "__init__" and file.parent != room]
    head = tree_of(room / "__init__.py")
    address = ".".join(room.relative_to(package.parent).parts)
    parts = [f"# {room.name}", text(docstring(head)), short_imports(head, address)]
    parts += [part for file in files for part in module(file, room, package)]
    return "\n\n".join(filter(None, parts)) + "\n"


def module(file: Path, room: Path, package: Path) -> Iterator[str]:
    """Yield the blocks of one module."""
    tree, inside = tree_of(file), file.relative_to(room).with_suffix("")
    name = ".".join(part for part in inside.parts if part != "__init__")
    yield f"## {name}"
    yield f"`{file.relative_to(package.parent).as_posix()}`"
    yield text(docstring(tree))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | Function) and public(node.name):
            yield f"### {node.name}"
            yield from described(node)


def described(node: ast.ClassDef | Function) -> Iterator[str]:
    """Yield a function's or class's signature and docstring, then those of its public methods."""
    made = constructor(node) if isinstance(node, ast.ClassDef) else node
    known = {name.arg for name in ast.walk(made.args) if isinstance(name, ast.arg)} if made else set()
    known |= {ast.unparse(field.target) for field in node.body if isinstance(field, ast.AnnAssign)}
    yield f"```python\n{signature(node)}\n```"
    yield text(docstring(node), known)
    if isinstance(node, ast.ClassDef):
        for method in node.body:
            if isinstance(method, Function) and public(method.name):
                yield from described(method)


def constructor(node: ast.ClassDef) -> Function | None:
    """Return the function that makes an object of a class, if the class has its own."""
    return next((part for part in node.body if isinstance(part, Function) and part.name == "__init__"), None)


def signature(node: ast.ClassDef | Function) -> str:
    """Return the lines that define a function, or a class with its fields or what it is made from."""
    marks = "".join(f"@{mark}\n" for mark in map(ast.unparse, node.decorator_list) if mark in SHOWN)
    if isinstance(node, ast.ClassDef):
        if made := constructor(node):
            return wrapped(f"class {node.name}(", parameters(made.args), "): ...")
        fields = [ast.unparse(field) for field in node.body if isinstance(field, ast.AnnAssign)]
        bases = ", ".join(map(ast.unparse, node.bases))
        body = "".join(f"\n    {field}" for field in fields if public(field))
        return f"{marks}class {node.name}{f'({bases})' if bases else ''}:{body or ' ...'}"
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    return marks + wrapped(f"{word} {node.name}(", parameters(node.args), f"){result}: ...")


SHOWN = ("property", "classmethod", "staticmethod", "contextmanager")  # decorators that say how a thing is used


def parameters(given: ast.arguments) -> list[str]:
    """Return a function's parameters as they are written, `self` left out."""
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    written = [parameter(name, default) for name, default in zip(plain, defaults, strict=True)]
    if given.posonlyargs:
        written.insert(len(given.posonlyargs), "/")
    if given.vararg or given.kwonlyargs:
        written.append(f"*{parameter(given.vararg, None)}" if given.vararg else "*")
    written += [parameter(name, default) for name, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    written += [f"**{parameter(given.kwarg, None)}"] if given.kwarg else []
    return written[1:] if plain and plain[0].arg in ("self", "cls") else written


def parameter(name: ast.arg, default: ast.expr | None) -> str:
    """Return one parameter with its type and its default."""
    kind = f": {ast.unparse(name.annotation)}" if name.annotation else ""
    equals = " = " if kind else "="
    return f"{name.arg}{kind}{equals if default else ''}{ast.unparse(default) if default else ''}"


def wrapped(start: str, words: list[str], end: str) -> str:
    """Return start, words and end in one line if it is short; else the words between them, in lines of their own."""
    if len(line := start + ", ".join(words) + end) <= WIDTH:
        return line
    lines = ["    "]
    for word in words:
        if len(lines[-1]) + len(word) > WIDTH:
            lines.append("    ")
        lines[-1] += f"{word}, "
    return "\n".join([start, *(line.rstrip() for line in lines), end])


def short_imports(head: ast.Module, room: str) -> str:
    """Return a sentence with the names that the __init__ of a room offers, if it offers any."""
    names: list[str] = []
    for node in ast.walk(head):
        lists = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if lists and isinstance(node.value, ast.List | ast.Tuple):
            names += [name.value for name in node.value.elts if isinstance(name, ast.Constant)]
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy" and isinstance(node.args[-1], ast.Dict):
            names += [name.value for name in node.args[-1].keys if isinstance(name, ast.Constant)]
    listed = ", ".join(f"`{name}`" for name in sorted(set(names)))
    return f"Imported from `{room}`: {listed}." if names else ""


# ----------------------------------------------------------------------------------------------- docstrings as Markdown


def docstring(node: ast.Module | ast.ClassDef | Function) -> str:
    """Return what a docstring says, without the indentation of the code around it; "" if there is none."""
    margin = " " * node.body[0].col_offset if node.body else ""
    raw = ast.get_docstring(node, clean=False) or ""
    return "\n".join(line.removeprefix(margin) for line in raw.splitlines()).strip()


def text(words: str, known: Collection[str] = ()) -> str:
    """Return a docstring as Markdown: tables and code as they stand, descriptions of `known` names as a list."""
    blocks = re.split(r"\n(?: *\n)+", words)
    return "\n\n".join(block(lines.splitlines(), known) for lines in blocks if lines.strip())


def block(lines: list[str], known: Collection[str]) -> str:
    """Return one block of a docstring as Markdown."""
    if all(line.startswith("  ") for line in lines):
        return "```text\n" + textwrap.dedent("\n".join(lines)) + "\n```"
    written, listed = [], False
    for line in lines:
        found = NAMED.match(line)
        names = found[1].split(", ") if found else []
        if names and set(names) <= set(known):
            written += [] if listed or not written else [""]  # a list begins after an empty line
            written.append(f"- {', '.join(f'`{name}`' for name in names)}: {prose(line[found.end():])}")
            listed = True
        else:
            written.append(("  " if listed else "") + prose(line.strip()))
    return "\n".join(written)


def prose(line: str) -> str:
    """Return a line of plain text as Markdown that shows it as it stands; `names` stay code."""
    pieces = re.split(r"(`[^`\n]+`)", line)
    plain = (MARKUP.sub(r"\\\1", piece).replace("`", "\\`") for piece in pieces[::2])
    pieces[::2] = plain
    return LIST_MARK.sub(r"\1\\\2", "".join(pieces))


def summary(file: Path) -> str:
    """Return the first line of a module's docstring."""
    return docstring(tree_of(file)).partition("\n")[0]


def tree_of(file: Path) -> ast.Module:
    """Return a file of Python as a tree."""
    return ast.parse(file.read_text(encoding="utf-8"))


def public(name: str) -> bool:
    """Return whether a name is meant for others."""
    return not name.startswith("_")
