"""The page at /docs: any OpenAPI 3.1 document rendered, and a call tried, without anything from elsewhere."""

import json

import pytest

from harness.waiting import wait_for

# What the page must cope with, whatever the program's own document is like today.
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Another API", "version": "7", "description": "Counts **all** with `code`.\n\n- one\n- two"},
    "tags": [{"name": "Reading", "description": "What can be read"}, {"name": "Nobody's"}],
    "security": [{"bearer": []}],
    "paths": {
        "/tree/{name}": {
            "parameters": [{"$ref": "#/components/parameters/name"}],
            "get": {
                "tags": ["Reading"],
                "operationId": "readTree",
                "summary": "A tree",
                "parameters": [{"name": "match", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                               {"name": "size", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}},
                               {"name": "how", "in": "query", "schema": {"enum": ["deep", "flat"]}}],
                "responses": {"200": {"description": "It", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}},
                              "default": {"$ref": "#/components/responses/fault"}},
            },
            "put": {"tags": ["Reading"], "summary": "<b>Replaced</b>", "requestBody": {"required": True, "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}, "text/plain": {"example": "oak"}}},
                "responses": {"204": {"description": "Done"}}},
        },
        "/without/tag": {"delete": {"deprecated": True, "responses": {}}},
    },
    "components": {
        "parameters": {"name": {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}, "example": "a/b c"}},
        "responses": {"fault": {"description": "A fault", "content": {"application/json": {"example": {"detail": "no"}}}}},
        "schemas": {
            "Node": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "examples": [7]}}},
            "Tree": {"description": "It holds itself", "allOf": [{"$ref": "#/components/schemas/Node"}, {
                "properties": {"leaf": {"type": ["string", "null"], "format": "uri"}, "kind": {"const": "tree"},
                               "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                               "either": {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"type": "null"}]},
                               "lost": {"$ref": "#/components/schemas/Nowhere"}, "any": True}}]},
        },
    },
}


def serve_instead(browser, agent, document, **options):
    """The page as it is, with another document in the place of the program's."""
    body = json.dumps(document)
    browser.open(agent.url("/docs"), **options)
    source = f"""
        const real = window.fetch;
        window.fetch = (url, ...rest) => String(url) === "/openapi.json" ? Promise.resolve(new Response({json.dumps(body)})) : real(url, ...rest);
    """
    added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    browser.driver.refresh()
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.fixture
def open_operation(browser):
    def find(operation):
        browser.run("document.getElementById(arguments[0]).open = true", operation)
        wait_for(lambda: browser.all(f"#{operation} .try"), f"{operation} is open")
        return f"#{operation} "

    return find


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_every_operation_of_the_document_stands_on_the_page(agent, browser, path):
    document = agent.get("/openapi.json").json()
    wanted = {(method.upper(), path) for path, item in document["paths"].items() for method in item if method in ("get", "post", "put", "delete")}
    browser.open(agent.url(path))
    wait_for(lambda: browser.all("h1"), "the page is drawn")
    shown = browser.run("""return [...document.querySelectorAll('main .operation:not(.schema) > summary')].map(e =>
        [e.querySelector('.method').textContent, e.querySelector('.path').textContent])""")
    assert {tuple(one) for one in shown} == wanted
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    browser.assert_clean(agent.bound["http"][0])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_document_with_all_its_corners_is_rendered(agent, browser, open_operation, theme):
    serve_instead(browser, agent, DOCUMENT, theme=theme)
    wait_for(lambda: "Another API" in browser.text("h1"), "the document is drawn")
    assert [one.text for one in browser.all(".group > h2")] == ["Reading", "Operations", "Schemas"]
    assert browser.text(".intro .prose").startswith("Counts all with code.")
    at = open_operation("readtree")
    assert [one.text for one in browser.all(at + ".told > section:first-of-type .name")] == ["name", "match", "size", "how"]
    assert "at least 1 · at most 9 · default 3" in browser.text(at + ".told")
    # The answer's schema: members of what `allOf` names, a type that may be null, one that holds itself.
    browser.run("for (const one of document.querySelectorAll('#readtree details')) one.open = true")
    told = browser.text(at + ".told")
    for part in ("id", "needed", "string (uri) | null", '"tree"', "array of Tree", "Node | null", "is not in this document"):
        assert part in told, part
    assert '"detail": "no"' in told and '"children": []' in told
    # Text is text.
    assert "<b>Replaced</b>" in browser.text("#put-tree-name summary")
    put = open_operation("put-tree-name")
    assert json.loads(browser.find(put + "textarea").get_attribute("value"))["id"] == 7
    browser.run("const s = document.querySelector(arguments[0]); s.value = 'text/plain'; s.dispatchEvent(new Event('change', {bubbles: true}))", put + "select")
    assert browser.find(put + "textarea").get_attribute("value") == "oak"
    assert browser.text(put + ".command code").endswith("-H 'Content-Type: text/plain' --data-binary 'oak'")
    browser.picture(f"docs-corners-{theme}")


def test_what_is_typed_becomes_a_call(agent, browser, open_operation):
    serve_instead(browser, agent, DOCUMENT)
    wait_for(lambda: "Another API" in browser.text("h1"), "the document is drawn")
    at = open_operation("readtree")
    assert browser.find(at + "[name=name]").get_attribute("value") == "a/b c"
    browser.find(at + "[name=match]").send_keys("page:/a*\nhost:it's")
    browser.run("document.querySelector(arguments[0]).value = 'flat'", at + "[name=how]")
    browser.find(at + "[placeholder^=if]").send_keys("secret")
    host = agent.bound["http"][0]
    assert browser.text(at + ".command code") == (
        f"curl 'http://{host}/tree/a%2Fb%20c?match=page%3A%2Fa*&match=host%3Ait%27s&how=flat' -H 'Authorization: Bearer secret'")


def test_a_call_is_tried_and_its_answer_shown(agent, browser, open_operation):
    document = {**DOCUMENT, "paths": {"/explain": {"get": {"operationId": "explain", "parameters": [
        {"name": "line", "in": "query", "required": True, "schema": {"type": "string", "examples": ["visit:page1|c"]}}], "responses": {}}},
        "/nowhere": {"post": {"operationId": "nowhere", "responses": {}}}, "/events": {"get": {"operationId": "events", "responses": {}}}}}
    serve_instead(browser, agent, document)
    wait_for(lambda: browser.all("#explain"), "the document is drawn")
    at = open_operation("explain")
    browser.find(at + "button.primary").click()
    browser.wait_for_text(at + ".status", "200")
    assert json.loads(browser.text(at + ".answer-body"))["samples"][0]["tags"] == {"page": "page1"}
    assert "content-type: application/json" in browser.text(at + ".answer-headers")
    at = open_operation("nowhere")
    browser.find(at + "button.primary").click()
    browser.wait_for_text(at + ".status", "404")
    assert "Not Found" in browser.text(at + ".answer-body")
    at = open_operation("events")
    browser.find(at + "button.primary").click()
    browser.wait_for_text(at + ".answer-body", '"total_visits":0')


def test_the_page_is_found_by_address_filtered_and_walked_by_keyboard(agent, browser):
    serve_instead(browser, agent, DOCUMENT)
    wait_for(lambda: "Another API" in browser.text("h1"), "the document is drawn")
    browser.run("location.hash = '#put-tree-name'")
    wait_for(lambda: browser.run("return document.getElementById('put-tree-name').open"), "the address opens its operation")
    browser.find("aside input").send_keys("without")
    shown = browser.run("return [...document.querySelectorAll('.operation')].filter(e => e.checkVisibility()).map(e => e.id)")
    assert shown == ["delete-without-tag"]
    browser.find("#delete-without-tag summary").send_keys("\n")
    wait_for(lambda: browser.all("#delete-without-tag .try"), "Enter opens an operation")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits(agent, browser, width, theme):
    browser.open(agent.url("/docs"), width, theme)
    wait_for(lambda: browser.all("h1"), "the page is drawn")
    assert browser.run("return document.documentElement.dataset.theme") == theme
    assert browser.overflow <= 0 and browser.cut == []
    browser.picture(f"docs-{theme}-{width}")
    browser.run("for (const one of document.querySelectorAll('.operation')) one.open = true")
    wait_for(lambda: browser.overflow <= 0, "nothing is wider than the page when all is open")
    browser.picture(f"docs-open-{theme}-{width}")
    browser.assert_clean(agent.bound["http"][0])
