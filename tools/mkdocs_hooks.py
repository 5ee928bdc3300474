"""MkDocs hooks for the documentation site: files of the repository, and formulas.

Pages use links that work in a checkout, both to each other and to other files in the repository. On
the site, README.md becomes the home page, and the other documents next to it become pages. All
other linked files are included: pictures unchanged, sources and results as pages. Formulas become
MathML, so pages need no script to render them. Each picture links to its full size. A picture
`NAME.png` with a variant `NAME-dark.png` follows the reader's color scheme.
"""

import pathlib
import posixpath
import re
from html import unescape

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = "docs"
REPOSITORY = "repository"
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "SECURITY.md": "security.md",
}
PICTURES = (".png", ".svg")
DARK = "-dark"
# Metadata of pages, by prefix: search prefers the API and skips sources and results; empty sidebars
# are hidden.
META: dict[str, dict[str, object]] = {
    "api/": {"search": {"boost": 2}},
    f"{REPOSITORY}/": {"search": {"exclude": True}},
    "gallery.md": {"hide": ["toc"]},
    "index.md": {"hide": ["navigation"]},
}
LANGUAGES = {".py": "python", ".cc": "cpp", ".h": "cpp", ".cu": "cpp"}

# [text](target), ![text](target "title"). Also matches in code, but there are none so far.
LINK = re.compile(r"\]\((?P<target>[^)\s]+)")
OUTSIDE = re.compile(r"[a-z]+:|#")
PICTURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<name>[^)\s#]+)\.png\)")
IMAGE = re.compile(r'<img [^>]*src="(?P<file>[^"#]+)[^>]*>')
# Code with long names, which may need line breaks, and where to break them.
LONG_CODE = re.compile(r"<code>[^<\n]{30,}</code>")
BREAK = re.compile(r"(?<=\w)(_|::|[./(])(?=\w)")
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
# Sections in Keras's docstrings that mkdocstrings renders as admonitions.
SECTION = re.compile(
    r'<details class="(?P<kind>[\w-]+)" open>\s*<summary>(?P<title>.*?)</summary>'
    r"(?P<body>.*?)</details>",
    re.DOTALL,
)
CALL_ARGUMENT = re.compile(r"^(\w+): ", re.MULTILINE)
WORD = re.compile(
    r'<mrow>(<m[in] mathvariant="(?P<variant>\w+)">\w+</m[in]>)'
    r'(<m[in] mathvariant="(?P=variant)">\w+</m[in]>)*</mrow>'
)
BAR = '<mo stretchy="false" lspace="0" rspace="0">|</mo>'
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def place_on_site(path: str) -> str:
    """The path on the site of a file in the repository."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    is_picture = pathlib.PurePath(path).suffix in PICTURES
    return f"{REPOSITORY}/{path}" + ("" if is_picture else ".md")


def target_of(link: str, source: str) -> str:
    """The repository file that a link in `source` points to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link.partition("#")[0]))


def links_of(text: str) -> list[str]:
    """The links to files in a page."""
    return [link for link in LINK.findall(text) if not OUTSIDE.match(link)]


def relink(text: str, source: str) -> str:
    """Rewrites the links in a document for the site."""
    here = posixpath.dirname(place_on_site(source))

    def relinked(match: re.Match[str]) -> str:
        link = match["target"]
        if OUTSIDE.match(link):
            return match[0]
        place = posixpath.relpath(place_on_site(target_of(link, source)), here or ".")
        _, hash_sign, anchor = link.partition("#")
        return f"]({place}{hash_sign}{anchor}"

    return LINK.sub(relinked, text)


def as_page(path: str) -> str:
    """A page that shows a source file or a result."""
    language = LANGUAGES.get(pathlib.PurePath(path).suffix, "text")
    text = (ROOT / path).read_text(encoding="utf-8")
    return f"# `{path}`\n\n~~~~~~{{ .{language} }}\n{text}~~~~~~\n"


def generated(path: str, config: MkDocsConfig) -> File:
    """The site's file for a repository file outside docs/."""
    if not (ROOT / path).is_file():
        raise PluginError(f"A page links to {path}, which is no file of the repository.")
    place = place_on_site(path)
    if path in PAGES:
        text = (ROOT / path).read_text(encoding="utf-8")
        return File.generated(config, place, content=relink(text, path))
    if pathlib.PurePath(path).suffix in PICTURES:
        return File.generated(config, place, abs_src_path=str(ROOT / path))
    return File.generated(config, place, content=as_page(path))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the repository files that are pages or link targets."""
    sources = [*PAGES, *(f"{DOCS}/{page.src_uri}" for page in files.documentation_pages())]
    linked = {
        target_of(link, source)
        for source in sources
        for link in links_of((ROOT / source).read_text(encoding="utf-8"))
    }
    outside = {path for path in linked if not path.startswith(f"{DOCS}/")}
    for path in sorted(outside | set(PAGES)):
        files.append(generated(path, config))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Sets metadata, rewrites links for the site, and adds dark variants of pictures."""
    here = page.file.src_uri
    for start, meta in META.items():
        if here.startswith(start):
            page.meta.update(meta)
    if not page.file.generated_by:
        markdown = relink(markdown, f"{DOCS}/{here}")
    return in_schemes(markdown, here, files)


def in_schemes(markdown: str, here: str, files: Files) -> str:
    """Adds the dark variants of pictures to a page."""

    def both(match: re.Match[str]) -> str:
        text, light = match["text"], match["name"]
        if not files.get_file_from_path(target_of(f"{light}{DARK}.png", here)):
            return match[0]
        return f"![{text}]({light}.png#only-light)![{text}]({light}{DARK}.png#only-dark)"

    return PICTURE.sub(both, markdown)


def on_page_content(html: str, **_: object) -> str:
    """Converts formulas to MathML, links pictures to their files, and formats code."""
    html = IMAGE.sub(r'<a class="picture" href="\g<file>">\g<0></a>', html)
    html = SECTION.sub(as_section, html)
    html = LONG_CODE.sub(lambda code: BREAK.sub(r"\1<wbr>", code[0]), html)
    html = INLINE.sub(lambda match: as_mathml(match[1], "inline"), html)
    return BLOCK.sub(lambda match: as_mathml(match[1], "block"), html)


def as_section(section: re.Match[str]) -> str:
    """Formats a section of a docstring like its other sections."""
    body = section["body"].strip()
    if section["kind"] == "call-arguments":
        _, *parts = CALL_ARGUMENT.split(body.removeprefix("<p>").removesuffix("</p>"))
        items = (
            f"<li><b><code>{name}</code></b> &ndash; {text.strip()}</li>"
            for name, text in zip(parts[::2], parts[1::2], strict=True)
        )
        body = f"<ul>{''.join(items)}</ul>"
    return f"<p><b>{section['title']}:</b></p>{body}"


def as_mathml(formula: str, display: str) -> str:
    """Converts a formula in a page's HTML, with words and bars formatted like in TeX."""
    mathml: str = convert(unescape(formula), display=display)
    mathml = WORD.sub(as_word, mathml)
    mathml = mathml.replace("<mo>max</mo>", "<mi>max</mi>")
    mathml = mathml.replace('<mo stretchy="false">&#x0007C;</mo>', BAR)
    return mathml if display == "inline" else f'<div class="formula">{mathml}</div>'


def as_word(letters: re.Match[str]) -> str:
    """Joins the letters of a word, which the converter treats as a product."""
    return f'<mtext class="{letters["variant"]}">{re.sub("<[^>]*>", "", letters[0])}</mtext>'
