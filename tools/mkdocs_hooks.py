"""MkDocs hooks for the documentation site: files of the repository, and formulas.

Pages use links that work in a checkout, both to each other and to other files in the repository. On
the site, README.md becomes the home page, and the other documents next to it become pages. All
other linked files are included: pictures unchanged, sources and results as pages. Formulas become
MathML, so pages need no script to render them.
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
LANGUAGES = {".py": "python", ".cc": "cpp", ".h": "cpp", ".cu": "cpp"}

# [text](target), ![text](target "title"). Also matches in code, but there are none so far.
LINK = re.compile(r"\]\((?P<target>[^)\s]+)")
OUTSIDE = re.compile(r"[a-z]+:|#")
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
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


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Rewrites the links in pages in docs/ for the site."""
    if page.file.generated_by:
        return markdown
    return relink(markdown, f"{DOCS}/{page.file.src_uri}")


def on_page_content(html: str, **_: object) -> str:
    """Converts formulas to MathML."""
    html = INLINE.sub(lambda match: as_mathml(match[1], "inline"), html)
    return BLOCK.sub(lambda match: as_mathml(match[1], "block"), html)


def as_mathml(formula: str, display: str) -> str:
    """Converts a formula in a page's HTML, with words and bars formatted like in TeX."""
    mathml: str = convert(unescape(formula), display=display)
    mathml = WORD.sub(as_word, mathml)
    mathml = mathml.replace("<mo>max</mo>", "<mi>max</mi>")
    return mathml.replace('<mo stretchy="false">&#x0007C;</mo>', BAR)


def as_word(letters: re.Match[str]) -> str:
    """Joins the letters of a word, which the converter treats as a product."""
    return f'<mtext class="{letters["variant"]}">{re.sub("<[^>]*>", "", letters[0])}</mtext>'
