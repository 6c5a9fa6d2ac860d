"""Which language a file is written in: by its name, its extension, its first line, or a cheap look at its text.

Languages are called as the grammar pack calls them. How they are cut: definitions/.
"""

from __future__ import annotations

import re

_EXTENSIONS = {  # language: its extensions, without the dot
    "actionscript": "as",
    "ada": "adb ads ada",
    "agda": "agda",
    "apex": "apex",
    "arduino": "ino pde",
    "asm": "asm s S nasm",
    "astro": "astro",
    "bash": "sh bash zsh ksh bats ebuild eclass command",
    "beancount": "beancount",
    "bibtex": "bib",
    "bicep": "bicep bicepparam",
    "bitbake": "bb bbappend bbclass",
    "bsl": "bsl os",
    "c": "c",
    "cairo": "cairo",
    "capnp": "capnp",
    "clarity": "clar",
    "clojure": "clj cljs cljc cljd edn bb",
    "cmake": "cmake",
    "cobol": "cob cbl cpy cobol",
    "commonlisp": "lisp lsp cl asd",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ inl ipp tpp txx ixx cppm",
    "csharp": "cs csx",
    "css": "css",
    "cuda": "cu cuh",
    "d": "d di",
    "dart": "dart",
    "dockerfile": "dockerfile containerfile",
    "dtd": "dtd",
    "elisp": "el",
    "elixir": "ex exs",
    "elm": "elm",
    "embeddedtemplate": "erb ejs",
    "erlang": "erl hrl escript",
    "fennel": "fnl",
    "fish": "fish",
    "fortran": "f f90 f95 f03 f08 for ftn",
    "fsharp": "fs fsx",
    "fsharp_signature": "fsi",
    "gdscript": "gd",
    "gleam": "gleam",
    "glsl": "glsl vert frag geom comp tesc tese",
    "gn": "gn gni",
    "go": "go",
    "graphql": "graphql gql graphqls",
    "groovy": "groovy gradle gvy nf jenkinsfile",
    "hack": "hack hhi",
    "hare": "ha",
    "haskell": "hs hs-boot",
    "haxe": "hx",
    "hcl": "hcl nomad",
    "heex": "heex",
    "hlsl": "hlsl fx fxh",
    "html": "html htm xhtml",
    "hyprlang": "hl",
    "ini": "ini cfg conf",
    "ispc": "ispc",
    "janet": "janet",
    "java": "java",
    "javascript": "js mjs cjs jsx es6",
    "json": "json jsonc json5 webmanifest geojson ipynb",
    "jsonnet": "jsonnet libsonnet",
    "julia": "jl",
    "kdl": "kdl",
    "kotlin": "kt kts",
    "latex": "tex sty cls ltx",
    "linkerscript": "ld lds",
    "llvm": "ll",
    "lua": "lua rockspec",
    "luau": "luau",
    "magik": "magik",
    "make": "mk mak",
    "markdown": "md markdown mdx mkd qmd rmd",
    "mermaid": "mmd mermaid",
    "meson": "meson",
    "netlinx": "axs axi",
    "nim": "nim nims nimble",
    "ninja": "ninja",
    "nix": "nix",
    "objc": "mm",
    "ocaml": "ml",
    "ocaml_interface": "mli",
    "odin": "odin",
    "org": "org",
    "pascal": "pas pp dpr lpr",
    "perl": "pm t psgi",
    "php": "php phtml php3 php4 php5 php7 phps",
    "po": "po pot",
    "pony": "pony",
    "powershell": "ps1 psm1 psd1",
    "prisma": "prisma",
    "properties": "properties",
    "proto": "proto",
    "puppet": "epp",
    "purescript": "purs",
    "python": "py pyi pyw py3 pyx pxd bzl_py",
    "qmljs": "qml",
    "r": "r R",
    "racket": "rkt",
    "rego": "rego",
    "ron": "ron",
    "rst": "rst",
    "ruby": "rb rake gemspec podspec ru rbi jbuilder thor",
    "rust": "rs",
    "scala": "scala sc sbt",
    "scheme": "scm ss sld",
    "scss": "scss",
    "smali": "smali",
    "smithy": "smithy",
    "solidity": "sol",
    "sparql": "sparql rq",
    "sql": "sql ddl dml pgsql mysql",
    "squirrel": "nut",
    "starlark": "bzl star bazel",
    "svelte": "svelte",
    "swift": "swift swiftinterface",
    "tablegen": "td",
    "tcl": "tcl",
    "terraform": "tf tfvars",
    "thrift": "thrift",
    "toml": "toml",
    "tsx": "tsx",
    "twig": "twig",
    "typescript": "ts mts cts",
    "typst": "typ",
    "verilog": "sv svh vh",
    "vhdl": "vhd vhdl",
    "vim": "vim vimrc",
    "vue": "vue",
    "wast": "wast",
    "wat": "wat",
    "wgsl": "wgsl",
    "xml": "xml xsd xsl xslt svg plist csproj vbproj fsproj props targets storyboard xib rdf wsdl",
    "yaml": "yaml yml",
    "yuck": "yuck",
    "zig": "zig zon",
}
_NAMES = {  # language: whole file names, in lower case
    "bash": ".bashrc .bash_profile .bash_aliases .profile .zshrc .zprofile .zshenv .envrc pkgbuild apkbuild",
    "cmake": "cmakelists.txt",
    "dockerfile": "dockerfile containerfile",
    "gitattributes": ".gitattributes",
    "gomod": "go.mod",
    "gosum": "go.sum",
    "groovy": "jenkinsfile",
    "ini": ".editorconfig .gitconfig .npmrc .pylintrc .flake8 .coveragerc",
    "json": ".babelrc .eslintrc .prettierrc .jshintrc composer.lock pipfile.lock flake.lock",
    "kconfig": "kconfig",
    "make": "makefile gnumakefile bsdmakefile",
    "meson": "meson.build meson_options.txt",
    "perl": "cpanfile",
    "properties": ".env",
    "pymanifest": "manifest.in",
    "python": "sconstruct sconscript wscript",
    "r": ".rprofile",
    "requirements": "requirements.txt constraints.txt",
    "ruby": "rakefile gemfile guardfile podfile vagrantfile capfile fastfile brewfile dangerfile .irbrc .pryrc",
    "starlark": "build workspace tiltfile buck",
    "toml": "cargo.lock poetry.lock uv.lock pipfile",
    "vim": ".vimrc .gvimrc _vimrc",
    "yaml": ".clang-format .clang-tidy .clangd .yamllint",
}
_INTERPRETERS = (  # what a "#!" line may name, the longer names first
    (re.compile(r"\b(?:python|pypy)"), "python"),
    (re.compile(r"\b(?:nodejs|node|bun|deno)\b"), "javascript"),
    (re.compile(r"\b(?:ts-node|tsx)\b"), "typescript"),
    (re.compile(r"\bfish\b"), "fish"),
    (re.compile(r"\bperl"), "perl"),
    (re.compile(r"\b(?:ruby|jruby)\b"), "ruby"),
    (re.compile(r"\bphp"), "php"),
    (re.compile(r"\blua"), "lua"),
    (re.compile(r"\bRscript\b"), "r"),
    (re.compile(r"\bjulia\b"), "julia"),
    (re.compile(r"\belixir\b"), "elixir"),
    (re.compile(r"\bescript\b"), "erlang"),
    (re.compile(r"\b(?:runhaskell|runghc|stack)\b"), "haskell"),
    (re.compile(r"\bscala"), "scala"),
    (re.compile(r"\bgroovy\b"), "groovy"),
    (re.compile(r"\b(?:tclsh|wish|expect)"), "tcl"),
    (re.compile(r"\bpwsh\b"), "powershell"),
    (re.compile(r"\bmake\b"), "make"),
    (re.compile(r"(?:^|[/\s])(?:ba|z|k|da|a)?sh\b|\bbats\b"), "bash"),
)
_PROSE = frozenset({"text", "markdown", "rst", "org", "latex", "typst", "po", "gitcommit", "requirements"})
_DATA = frozenset(
    {"html", "xml", "vue", "svelte", "astro", "css", "scss", "json", "yaml", "toml", "ini", "properties", "csv", "hcl"}
    | {"terraform", "dockerfile", "make", "cmake", "gitignore", "gitattributes", "gomod", "gosum", "ron", "kdl", "twig"}
)
_LOOK = 20_000  # characters of a text that are looked at to settle an ambiguous extension
_OBJC = re.compile(
    r"^\s*(?:@(?:interface|implementation|protocol|import|class|property|end)\b|#import\b)", re.MULTILINE
)
_CPP = re.compile(  # words that are common in comments ("virtual", "operator") are left out
    r"^\s*(?:(?:inline\s+)?namespace\b|template\s*<|class\s+\w+[^;]*[{:;]\s*$|using\s+(?:namespace\s|\w+\s*=|\w+::)|"
    r"(?:public|private|protected)\s*:|#\s*include\s*<c?[a-z_]+>)|"
    r"\w::~?\w|\b(?:constexpr|noexcept|static_cast|nullptr)\b",
    re.MULTILINE,
)
_MATLAB = re.compile(r"^\s*(?:%|function\b|classdef\b)|^\s*\w+\s*=.*;\s*$", re.MULTILINE)
_PROLOG = re.compile(r"^(?::-|[a-z]\w*\(.*\)\s*(?::-|\.\s*$))", re.MULTILINE)
_VLANG = re.compile(r"^(?:module\s+\w+\s*$|(?:pub\s+)?fn\s)", re.MULTILINE)
_QT_TRANSLATION = re.compile(r"\s*(?:<\?xml|<!DOCTYPE TS|<TS\b)")
_XML = re.compile(r"\s*<(?:\?xml|!DOCTYPE)")


def detect_language(path: str, text: str) -> str:
    """The language of a file, "text" where none is known.

    ``path`` has ``/`` between its parts; ``text`` is the file's, of which at most the beginning is read.
    """
    name = path.rpartition("/")[2]
    by_name = _BY_NAME.get(name.lower()) or _by_stem(name.lower())
    if by_name:
        return by_name
    extension = name.rpartition(".")[2] if "." in name else ""
    if extension.lower() in _AMBIGUOUS:
        return _settled(extension.lower(), text[:_LOOK])
    language = _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())
    return language or _by_first_line(text)


def known_languages() -> tuple[str, ...]:
    """All names that ``detect_language`` may give, sorted."""
    settled = (name for usual, others in _AMBIGUOUS.values() for name in (usual, *(other for other, _ in others)))
    interpreted = (language for _, language in _INTERPRETERS)
    return tuple(sorted({"text", *_EXTENSIONS, *_NAMES, *settled, *interpreted}))


def loose_kind(language: str) -> str:
    """The kind of what defines nothing: a module's statements, a block of markup or data, or text."""
    return "text" if language in _PROSE else "block" if language in _DATA else "module"


def _by_stem(name: str) -> str:
    """Names that carry more than the bare word: ``Dockerfile.dev``, ``Makefile.am``, ``requirements-dev.txt``."""
    stem = name.partition(".")[0]
    if stem in {"dockerfile", "containerfile"}:
        return "dockerfile"
    if stem == "makefile":
        return "make"
    return "requirements" if re.fullmatch(r"requirements[-_.\w]*\.txt", name) else ""


def _settled(extension: str, text: str) -> str:
    """The language of a file whose extension several share."""
    usual, others = _AMBIGUOUS[extension]
    return next((language for language, sign in others if sign.search(text)), usual)


def _by_first_line(text: str) -> str:
    """The interpreter after ``#!``, the shell after ``#compdef``, or XML's declaration."""
    line = text[:200].partition("\n")[0]
    if line.startswith("#!"):
        return next((language for sign, language in _INTERPRETERS if sign.search(line)), "text")
    if line.startswith(("#compdef", "#autoload")):
        return "bash"
    return "xml" if _XML.match(line) else "text"


def _inverted(table: dict[str, str]) -> dict[str, str]:
    return {word: language for language, words in table.items() for word in words.split()}


_BY_EXTENSION = _inverted(_EXTENSIONS)
_BY_NAME = _inverted(_NAMES)
_AMBIGUOUS: dict[str, tuple[str, tuple[tuple[str, re.Pattern[str]], ...]]] = {  # the usual one, and what overrules it
    "h": ("c", (("objc", _OBJC), ("cpp", _CPP))),
    "m": ("objc", (("objc", _OBJC), ("matlab", _MATLAB))),
    "pl": ("perl", (("text", _PROLOG),)),
    "v": ("verilog", (("v", _VLANG),)),
    "ts": ("typescript", (("xml", _QT_TRANSLATION),)),
}
