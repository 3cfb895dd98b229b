"""How Sphinx makes the site of the pages in `build/pages`: see tools/site.

One setting of yours: COURSE_REPOSITORY, the address of the repository on GitHub, such
as https://github.com/OWNER/NAME. With it, each page links to it, and each notebook has
a button that opens it on Binder. Without it, there is none. (Colab would open a
notebook without the course, and its first cell would fail: see `places.md`.)
"""

import os

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

project = html_title = "Token streaming with LangChain"
copyright = "its authors; MIT licence"  # noqa: A001  Sphinx names it so
author = ""  # else, pages end with "By Author name not set"
extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["_static", "_extra"]
html_show_sphinx = False
html_copy_source = False

nb_execution_mode = "off"  # the stored outputs are shown: tests compare them
nb_merge_streams = True
nb_code_prompt_show = "Show the solution"
nb_code_prompt_hide = "Hide the solution"
nb_ipywidgets_js = {
    "require.js": {},
    "embed-amd.js": {"data-jupyter-widgets-cdn": "data:,", "crossorigin": "anonymous"},
}
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
copybutton_selector = "div.cell_input div.highlight pre, div.highlight-bash pre"

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["names.js"]
html_extra_path = ["_extra"]
html_theme_options = {
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "use_download_button": False,
    "navbar_persistent": [],  # the search is in the sidebar
}
if repository := os.environ.get("COURSE_REPOSITORY"):
    html_theme_options |= {
        "repository_url": repository,
        "path_to_docs": "",
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


class Mermaid(Directive):
    """A diagram, as text for Mermaid, which draws it on the page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return it, for Mermaid's script to find."""
        text = nodes.Text("\n".join(self.content))
        return [nodes.literal_block("", "", text, classes=["mermaid"], language="none")]


def with_mermaid(
    app: Sphinx,
    page: str,
    template: str,
    context: dict[str, object],
    tree: nodes.document,
) -> None:
    """Load Mermaid's script where there is a diagram, and nowhere else."""
    if tree and any(
        "mermaid" in each["classes"] for each in tree.findall(nodes.literal_block)
    ):
        app.add_js_file("mermaid.min.js", loading_method="defer")
        app.add_js_file("diagrams.js", loading_method="defer")


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("mermaid", Mermaid)
    app.connect("html-page-context", with_mermaid)
