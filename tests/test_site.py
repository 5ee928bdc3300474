"""The documentation site's additions to MkDocs: links to repository files, and formulas."""

import importlib.util
import pathlib

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
