"""Sphinx settings of the web site and of the slides; tools/build_site.py runs both."""

from importlib.metadata import files

MATHJAX = next(path.locate() for path in files("sphinx-mathjax-offline") if path.name == "tex-svg.js")

extensions = ["myst_nb", "sphinx.ext.mathjax", "sphinx_revealjs"]
project = "Editing in text-to-image models"
author = copyright = ""
language = "en"
suppress_warnings = ["myst.mathjax"]

nb_execution_mode = "off"  # the notebooks were run when they were built
nb_ipywidgets_js = {}
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = True
mathjax_path = "tex-svg.js"
mathjax3_config = {"options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static", str(MATHJAX)]
html_css_files = ["site.css"]
html_copy_source = html_show_sourcelink = html_show_copyright = html_show_sphinx = html_use_index = False
html_show_search_summary = False  # a page on disk may not read the others for an excerpt: search.js has them
html_context = {"default_mode": "light"}
html_theme_options = {
    "show_navbar_depth": 2,
    **dict.fromkeys(("navbar_start", "navbar_center", "navbar_end", "navbar_persistent"), []),  # no bar at the top
    "use_download_button": False,
    "article_header_end": ["toggle-secondary-sidebar.html"],
    "footer_content_items": [],
    "pygments_light_style": "tango",
}

revealjs_static_path = ["_static", str(MATHJAX)]
revealjs_style_theme = "slides.css"
revealjs_js_files = ["slides.js"]
revealjs_script_conf = {
    "width": 1280,
    "height": 720,
    "margin": 0.03,
    "display": "flex",
    "center": False,
    "hash": True,
    "slideNumber": "c/t",
    "transition": "none",
}
revealjs_script_plugins = [{"name": "RevealNotes", "src": "revealjs/plugin/notes/notes.js"}]


def setup(app):
    """Sphinx's way in: the page of the search gets a script of its own."""
    app.connect("html-page-context", lambda app, page, *_: page == "search" and app.add_js_file("search.js") or None)
