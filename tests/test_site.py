"""The documentation site's additions to MkDocs, and the completeness of its pages."""

import importlib
import importlib.util
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def hooks():
    for module in ("mkdocs", "latex2mathml"):
        pytest.importorskip(module)
    path = ROOT / "tools" / "mkdocs_hooks.py"
    spec = importlib.util.spec_from_file_location("mkdocs_hooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("docs/guide.md", "xla.md", "xla.md"),
        ("docs/guide.md", "xla.md#part", "xla.md#part"),
        ("docs/guide.md", "#part", "#part"),
        ("docs/guide.md", "https://www.tensorflow.org/a.md", "https://www.tensorflow.org/a.md"),
        ("docs/guide.md", "../SECURITY.md", "security.md"),
        ("docs/guide.md", "../examples/a.py", "repository/examples/a.py.md"),
        ("docs/guide.md", "../benchmarks/a.png", "repository/benchmarks/a.png"),
        ("README.md", "docs/gpu.md#part", "gpu.md#part"),
        ("README.md", "docs/images/a.png", "images/a.png"),
        ("README.md", "LICENSE", "repository/LICENSE.md"),
        ("CONTRIBUTING.md", "README.md", "index.md"),
    ],
)
def test_links_of_a_checkout_become_those_of_the_site(hooks, source, link, expected):
    assert hooks.relink(f"see [this]({link}).", source) == f"see [this]({expected})."


def test_a_link_to_no_file_of_the_repository_is_an_error(hooks):
    with pytest.raises(hooks.PluginError, match=r"examples/none\.py, which is no file"):
        hooks.generated("examples/none.py", None)


@pytest.mark.parametrize("display", ["inline", "block"])
def test_formulas_become_mathml(hooks, display):
    tag, opened, closed = {
        "inline": ("span", r"\(", r"\)"),
        "block": ("div", r"\[", r"\]"),
    }[display]
    html = rf'<{tag} class="arithmatex">{opened}\mathit{{loc}} &lt; 2{closed}</{tag}>'
    mathml = hooks.on_page_content(f"<p>{html}</p>")
    assert f'display="{display}"' in mathml
    assert '<mtext class="italic">loc</mtext>' in mathml  # a single word, not a product of letters
    assert "arithmatex" not in mathml


def test_a_picture_with_a_dark_variant_is_shown_in_both_schemes(hooks):
    from mkdocs.structure.files import File, Files

    names = ("images/a.png", "images/a-dark.png", "images/b.png")
    files = Files([File(name, "docs", "site", False) for name in names])
    text = hooks.in_schemes("![A](../images/a.png) ![B](../images/b.png)", "api/c.md", files)
    light, dark = "![A](../images/a.png#only-light)", "![A](../images/a-dark.png#only-dark)"
    assert text == f"{light}{dark} ![B](../images/b.png)"
    html = '<img alt="A" src="images/a.png#only-light" />'
    assert hooks.on_page_content(html) == f'<a class="picture" href="images/a.png">{html}</a>'


def test_long_names_may_break_between_their_words(hooks):
    html = "<td><code>short_name</code>, <code>test_a.py::test_one_two_three_four_five</code></td>"
    broken = "test_<wbr>a.<wbr>py::<wbr>test_<wbr>one_<wbr>two_<wbr>three_<wbr>four_<wbr>five"
    assert hooks.on_page_content(html) == (
        f"<td><code>short_name</code>, <code>{broken}</code></td>"
    )


def test_sections_of_docstrings_are_no_admonitions(hooks):
    html = (
        '<details class="call-arguments" open>\n  <summary>Call arguments</summary>\n'
        "  <p>inputs: A\ntensor.\ntraining: Boolean.</p>\n</details>\n"
        '<details class="input-shape" open>\n  <summary>Input shape</summary>\n'
        "  <p>Arbitrary.</p>\n</details>"
    )
    assert hooks.on_page_content(html) == (
        "<p><b>Call arguments:</b></p><ul><li><b><code>inputs</code></b> &ndash; A\ntensor.</li>"
        "<li><b><code>training</code></b> &ndash; Boolean.</li></ul>\n"
        "<p><b>Input shape:</b></p><p>Arbitrary.</p>"
    )


def test_the_reference_has_every_public_name():
    pages = (ROOT / "docs" / "api").glob("*.md")
    texts = [page.read_text(encoding="utf-8") for page in pages]
    listed = sorted(re.findall(r"^::: (\S+)$", "\n".join(texts), re.MULTILINE))
    parts = ("callbacks", "layers", "numpy", "raw_ops", "regularizers", "schedules")
    modules = ["flatnoise", *(f"flatnoise.{part}" for part in parts)]
    public = {
        f"{module}.{name}"
        for module in modules
        for name in importlib.import_module(module).__all__
        if name not in (*parts, "__version__")
    }
    assert listed == sorted(public)


def test_the_gallery_shows_the_calls_that_made_its_pictures(monkeypatch):
    for module in ("matplotlib", "sklearn"):
        pytest.importorskip(module)
    monkeypatch.syspath_prepend(ROOT / "tools")
    examples = importlib.import_module("plot_noises").EXAMPLES
    gallery = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    calls = re.findall(r"images/noises/(\w+)\.png\)\n\n    `(.*)`$", gallery, re.MULTILINE)
    assert calls == [(example.name, example.code) for example in examples]
    for example in examples:
        for suffix in ("", "-dark"):
            assert (ROOT / "docs" / "images" / "noises" / f"{example.name}{suffix}.png").is_file()
