// SPDX-License-Identifier: GPL-2.0
//
// Tests of the page. In a copy of it they are the first script, so that they hear of all that goes
// wrong, and run in this order when the copy has been loaded.

"use strict";

(() => {
// What the panel tells about a move from one host to another.
const told = [
	["v2-6.1.129", "n1", "SMCCC_ARCH_WORKAROUND_3 = 2 (not required)",
		"EINVAL: exceeds the offer; the offer is 1 (available)"],
	["a57", "n1", "no way back", "D3", "D4", "SMCCC_ARCH_WORKAROUND_1 = 0 (not available)",
		"it should be told -1, and is told 1"],
	["a53", "a53", "accepted again by the host"],
	["n1-6.1.172", "n1", "not one of these"],
];

const complaints = [];
addEventListener("error", (event) => complaints.push(event.message ?? short(event.target)), true);
addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
	complaints.push(`${violatedDirective} forbids ${blockedURI}`));
for (const level of ["warn", "error"])
	console[level] = (...words) => complaints.push(words.join(" "));

function check(holds, otherwise) {
	if (!holds)
		throw otherwise;
}
const none = (list, what) => check(list.length === 0, `${what}: ${list.join(", ")}`);
const all = (selector) => [...document.querySelectorAll(selector)];
const panel = () => document.getElementById("panel");
const short = (element) => element.outerHTML.slice(0, 80);
const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

function cell(vm, dump, host) {
	const { rows } = document.querySelector(`[data-vm=${vm}]`);
	const row = [...rows].find((row) => row.cells[0].textContent === dump);
	const column = [...rows[0].cells].findIndex((head) => head.textContent === host);
	return row.cells[column].querySelector("button");
}

// Scrolls to a cell, and points at what is seen in the middle of it.
function point(button) {
	button.scrollIntoView({ block: "start", inline: "center" });
	scrollBy(0, -200);
	const { x, y, width, height } = button.getBoundingClientRect();
	const seen = document.elementFromPoint(x + width / 2, y + height / 2);
	check(button.contains(seen), `${short(button)} is covered`);
	seen.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
}

// A browser itself clicks a button that has the focus when Enter is pressed.
function press(key) {
	const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
	if (document.activeElement.dispatchEvent(event) && key === "Enter")
		document.activeElement.click();
}

function tells({ textContent }, ...texts) {
	for (const text of texts)
		check(textContent.includes(text), `"${text}" is not told, but: ${textContent}`);
}
const panelTells = ([dump, host, ...texts]) => tells(panel(), `${dump} → ${host}`, ...texts);

// As WCAG 2 computes it.
function luminance(colour) {
	const parts = colour.match(/[\d.]+/g).map((byte) => byte / 255);
	const [red, green, blue] = parts.map((part) =>
		part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function background(element) {
	const colour = getComputedStyle(element).backgroundColor;
	return colour === "rgba(0, 0, 0, 0)" ? background(element.parentElement) : colour;
}

function contrast(element) {
	const colours = [getComputedStyle(element).color, background(element)];
	const [dark, light] = colours.map(luminance).sort((a, b) => a - b);
	return (light + 0.05) / (dark + 0.05);
}

const tests = {
	// The frame's name says what was asked for.
	"window"() {
		const found = `${innerWidth}-${isDark() ? "dark" : "light"}`;
		check(found === window.name, `it is ${found}`);
	},

	// Only tables may be wider than their box, and that scrolls.
	"nothing-overflows"() {
		const { clientWidth, scrollWidth } = document.documentElement;
		const isWide = (it) => !it.closest(".scroll > *, .symbols, [hidden]") &&
			it.getBoundingClientRect().right > clientWidth + 0.5;
		none(all("body *").filter(isWide).map(short), "too wide");
		check(scrollWidth <= clientWidth, `the page is ${scrollWidth} wide`);
	},

	"every-cell-has-a-sign-and-a-name"() {
		const cells = all("[role=grid] td[role=gridcell] > button");
		check(cells.length > 0 && cells.length === all("[role=grid] tbody td").length, "no cells");
		const signs = all("symbol").map((symbol) => `#${symbol.id}`);
		const hasBoth = (it) => it.ariaLabel?.includes(" to ") &&
			signs.includes(it.querySelector("use")?.getAttribute("href"));
		none(cells.filter((it) => !hasBoth(it)).map(short), "without");
	},

	"contrast"() {
		const isLow = (it) => it.checkVisibility() && !(contrast(it) >= 4.5);
		const low = all("p, li, th, td, dt, dd, h1, h2, h3, b, button").filter(isLow);
		none(low.map((it) => `${contrast(it)} ${short(it)}`), "too little");
	},

	// With the tab key to a table, and in it with the others.
	"keyboard"() {
		const first = all("[role=grid]").map((grid) => grid.querySelector("button"));
		const stops = all("[role=grid] button").filter((it) => it.tabIndex === 0);
		check(stops.length === 2 && first.every((it) => stops.includes(it)), "other stops");
		const row = [...stops[0].closest("tr").querySelectorAll("button")];
		const lead = (keys, end) => {
			keys.forEach(press);
			check(document.activeElement === end, `${keys} lead to ${document.activeElement.ariaLabel}`);
			check(end.tabIndex === 0 && stops[0].tabIndex === -1, "no stop there");
		};
		stops[0].focus();
		lead(["ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"], row[1]);
		lead(["End", "ArrowRight" /* nowhere to go */], row.at(-1));
		lead(["Home", "ArrowRight", "Enter"], row[1]);
		panelTells(["a53", "a57", "refused"]);
	},

	"clicks"() {
		for (const vm of ["strict", "default"]) {
			for (const move of told) {
				point(cell(vm, ...move));
				cell(vm, ...move).click();
				panelTells(move);
				check(panel().ariaLive === "polite", `the panel is ${panel().ariaLive}`);
			}
		}
	},

	"pointing"() {
		const [chosen, pointed] = told;
		cell("strict", ...chosen).click();
		point(cell("strict", ...pointed));
		panelTells(pointed);
		document.querySelector("[data-vm=strict]").dispatchEvent(new MouseEvent("mouseleave"));
		panelTells(chosen);
	},

	// The panel does not lie on what was chosen, and goes away.
	"closing"() {
		const button = cell("default", ...told[0]);
		const closeByButton = () => panel().querySelector(".close").click();
		for (const close of [closeByButton, () => press("Escape")]) {
			button.click();
			const [cellBox, panelBox] = [button, panel()].map((it) => it.getBoundingClientRect());
			check(cellBox.bottom <= panelBox.top, "the panel lies on the cell");
			close();
			check(panel().querySelector(".hint"), "the panel is there still");
		}
	},

	"incident"() {
		tells(document.querySelector("[aria-labelledby=incident]"), "v2-6.1.129", "v2-6.1.172",
			"SMCCC_ARCH_WORKAROUND_3 = 2 (not required): EINVAL: exceeds the offer");
		tells(document.querySelector("#losses"), "v2-6.1.172 to v2-6.1.129defaultcome back",
			"v2-6.1.129 to v2-6.1.172anymove");
	},

	// The page follows the system, until it is told otherwise.
	"themes"() {
		const paper = () => getComputedStyle(document.body).backgroundColor;
		const first = paper();
		const [light, dark, system] = ["light", "dark", "system"].map((theme) => {
			document.querySelector(`[data-theme=${theme}]`).click();
			return paper();
		});
		check(light !== dark, `both are ${light}`);
		const own = isDark() ? dark : light;
		check(first === own && system === own, `${first} and ${system}, not ${own}`);
	},

	async "no-requests-and-no-complaints"() {
		await new Promise((done) => setTimeout(done, 100)); // some are told late
		none(performance.getEntriesByType("resource").map((it) => it.name), "requests");
		none(complaints, "complaints");
	},
};

addEventListener("load", async () => {
	const results = [];
	for (const [name, test] of Object.entries(tests))
		results.push([name, await Promise.resolve().then(test).then(() => null, String)]);
	parent.postMessage(JSON.stringify(results), "*");
});
})();
