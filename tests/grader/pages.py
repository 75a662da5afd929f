"""What of an HTML page a browser would run or load."""

from bs4 import BeautifulSoup

ACTIVE = {"script", "iframe", "object", "embed", "svg", "form", "base", "meta", "link", "style"}


def runs(page):
    """Every part of `page` that a browser would run, or load from elsewhere without being asked."""
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name in ACTIVE:
            yield str(tag)
        for name, value in tag.attrs.items():
            loads = name in ("src", "srcset", "background", "poster") and not str(value).startswith("data:image/")
            if name.startswith("on") or "script:" in str(value) or (loads and tag.name != "script"):
                yield f"{name}={value}"
