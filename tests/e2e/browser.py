"""Debian's Chromium, headless, for tests of the web page. Nothing but loopback is ever asked for."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.remote.webelement import WebElement
from services import wait_until

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
MISSING = "Chromium and its driver are needed for the page's tests: apt-get install chromium chromium-driver"
SCREENSHOTS = Path(os.environ.get("PARETOFARM_SCREENSHOTS") or Path(__file__).parents[2] / "build" / "screenshots")
"""What CI keeps; git ignores it."""
READY = "return document.querySelector('#page')?.getAttribute('aria-busy') !== 'true'"
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""Containers came or went on this machine: Chromium drops what it was loading, from loopback too. No page's fault."""
LIMIT_S = 20.0
SCRIPT_S = 120.0
"""For axe, on a page with hundreds of rows and a machine with other work."""


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser with a profile of its own."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.fail(MISSING)
    with tempfile.TemporaryDirectory(prefix="pf-chromium-", ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = program
        for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1360,1000"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        chrome = webdriver.Chrome(options=options, service=Service(driver))
        chrome.set_script_timeout(SCRIPT_S)
        try:
            yield Browser(chrome)
        finally:
            chrome.quit()


class Browser:
    """What tests do with a page. base: what paths are appended to."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome
        self.base = ""
        self._heard: list[str] = []

    def open(self, path: str) -> None:
        """Returns when the page has filled itself."""
        wait_until(lambda: self._opened(path), 3 * LIMIT_S, path)

    def _opened(self, path: str) -> bool:
        """False where the page was left half loaded by no fault of its own."""
        self.chrome.get(self.base + path)
        wait_until(lambda: bool(self.run(READY)) or self._is_cut_off(), LIMIT_S, path)
        return bool(self.run(READY))

    def _is_cut_off(self) -> bool:
        heard = self._log()
        self._heard += heard
        return any(NETWORK_CHANGED in message for message in heard)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)  # type: ignore[no-untyped-call]

    def until(self, script: str, *, timeout_s: float = LIMIT_S, what: str = "") -> None:
        """Waits for a script's result to be true."""
        wait_until(lambda: bool(self.run(script)), timeout_s, what or script)

    def find(self, selector: str) -> WebElement:
        self.until(f"return document.querySelector({json.dumps(selector)}) !== null")
        return self.chrome.find_element("css selector", selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def click(self, selector: str) -> None:
        """Again where the page has just put another element in its place."""
        wait_until(lambda: self._clicked(selector), LIMIT_S, f"{selector} to be clicked")

    def _clicked(self, selector: str) -> bool:
        try:
            element = self.find(selector)
            self.run("arguments[0].scrollIntoView({block: 'center'})", element)
            element.click()
        except StaleElementReferenceException:
            return False
        return True

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.chrome).send_keys(key).perform()

    def drag(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """From one place of an element to another, both as shares of its width and height."""
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        width, height = element.size["width"], element.size["height"]
        places = [(round((x - 0.5) * width), round((y - 0.5) * height)) for x, y in (start, end)]
        actions = ActionChains(self.chrome).move_to_element_with_offset(element, *places[0]).click_and_hold()
        actions.move_to_element_with_offset(element, *places[1]).release().perform()

    def resize(self, width: int, height: int) -> None:
        """As a phone's screen is, where it is narrow: windows are never narrower than 500 pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """The colour scheme of the system, `light` or `dark`."""
        features = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", features)

    def complaints(self) -> list[str]:
        """What was said on the console since this was last asked: errors and warnings."""
        heard, self._heard = [*self._heard, *self._log()], []
        return [message for message in heard if NETWORK_CHANGED not in message]

    def _log(self) -> list[str]:
        try:
            entries = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        except WebDriverException as error:
            return [str(error)]
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def barriers(self, *rules: str) -> list[str]:
        """What keeps people out of this page, by axe: serious and critical findings, of all rules or of these."""
        if not self.run("return typeof axe !== 'undefined'"):
            self.chrome.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE})
        found = self.chrome.execute_async_script(  # type: ignore[no-untyped-call]
            "const [rules, done] = arguments;"
            "const options = {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})};"
            "axe.run(document, options).then(done)",
            list(rules),
        )
        serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        return [f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}" for each in serious]

    def keep(self, name: str) -> None:
        """A screenshot, for people who want to see what was tested."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.chrome.save_screenshot(str(SCREENSHOTS / f"{name}.png"))
