"""A headless Chromium, and what it has seen: its console, and where its requests went."""

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from .waiting import wait_for

WIDE, NARROW = 1280, 360


class Browser:
    """One window. `screenshots` is the folder that pictures go to."""

    def __init__(self, screenshots):
        options = Options()
        options.binary_location = shutil.which("chromium")
        # Its own sandbox cannot be had as root; /dev/shm is small in containers; a first start would look for updates.
        for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "no-first-run", "disable-background-networking",
                     "disable-component-update", "hide-scrollbars"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(30)
        self.screenshots = screenshots

    def open(self, url, width=WIDE, theme="light"):
        """A page as somebody sees it who comes for the first time, whose system prefers `theme`."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": url, "storageTypes": "all"})
        self.resize(width)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(url)

    def resize(self, width, height=900):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """The text of the first element that fits, or an empty one where there is none."""
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def wait_for_text(self, selector, part, seconds=10.0):
        return wait_for(lambda: part in self.text(selector), f"{selector} holds {part!r}, not {self.text(selector)!r}", seconds, every=0.05)

    def wait_for(self, script, what, seconds=10.0):
        return wait_for(lambda: self.run(script), what, seconds, every=0.05)

    def picture(self, name):
        """The whole page, from its head to its foot."""
        width = self.run("return innerWidth")
        self.resize(width, self.run("return document.documentElement.scrollHeight"))
        self.driver.save_screenshot(str(Path(self.screenshots) / f"{name}.png"))
        self.resize(width)

    @property
    def overflow(self):
        """Pixels by which the page is wider than its window."""
        return self.run("return document.documentElement.scrollWidth - innerWidth")

    @property
    def cut(self):
        """Texts that lie partly outside of what clips them, but those that end in an ellipsis and can be read in full in their title."""
        return self.run("""
            return [...document.querySelectorAll('main *, header *')].filter(e => e.children.length === 0 && e.textContent.trim()
                && !e.closest('.spoken, pre, .command, svg, option, textarea') && e.checkVisibility()
                && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline' && !e.title).map(e => e.outerHTML)
        """)

    def assert_clean(self, host):
        """Nothing in the console, and no request to anywhere but `host`."""
        assert [entry for entry in self.driver.get_log("browser") if entry["level"] != "INFO"] == []
        asked = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(message["params"]["request"]["url"])
        elsewhere = {url for url in asked if urlsplit(url).scheme not in ("data", "about", "chrome") and urlsplit(url).netloc != host}
        assert asked and not elsewhere, elsewhere


@contextmanager
def running_browser(directory):
    """Pictures go to $SCREENSHOTS, else to `directory`."""
    screenshots = Path(os.environ.get("SCREENSHOTS", directory))
    screenshots.mkdir(parents=True, exist_ok=True)
    browser = Browser(screenshots)
    try:
        yield browser
    finally:
        browser.driver.quit()
