"use strict";

const panel = document.getElementById("panel");
const grids = [...document.querySelectorAll("table[role=grid]")];
const hint = panel.querySelector(".hint");
const closer = document.createElement("button");
let chosen = null;

// Where a button is, by its table's rows and columns.
function place(button) {
	const cell = button.closest("td");
	return { row: cell.parentNode.rowIndex, column: cell.cellIndex };
}

function buttonAt(grid, { row, column }) {
	return grid.rows[row]?.cells[column]?.querySelector("button");
}

// Marks the move in both tables, and tells about it.
function show(button, live) {
	const at = place(button);
	document.querySelectorAll(".shown").forEach((shown) => shown.classList.remove("shown"));
	for (const grid of grids) {
		buttonAt(grid, at).classList.add("shown");
		grid.rows[at.row].cells[0].classList.add("shown");
		grid.rows[0].cells[at.column].classList.add("shown");
	}

	const grid = button.closest("table");
	const title = document.createElement("h3");
	title.append(grid.rows[at.row].cells[0].textContent, " → ",
		grid.rows[0].cells[at.column].textContent);
	const detail = document.getElementById(`detail-${button.dataset.detail}`);
	// Who only points at cells is not to be talked to each time.
	panel.setAttribute("aria-live", live ? "polite" : "off");
	panel.classList.add("open");
	panel.replaceChildren(closer, title, ...detail.cloneNode(true).childNodes);
}

function hide() {
	chosen?.removeAttribute("aria-pressed");
	chosen = null;
	document.querySelectorAll(".shown").forEach((shown) => shown.classList.remove("shown"));
	panel.classList.remove("open");
	panel.replaceChildren(hint);
}

function choose(button) {
	chosen?.removeAttribute("aria-pressed");
	chosen = button;
	chosen.setAttribute("aria-pressed", "true");
	show(button, true);
	// The panel may lie on it.
	button.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// One button of a table is a stop of the tab key.
function makeStop(button) {
	for (const other of button.closest("table").querySelectorAll("button[tabindex='0']"))
		other.tabIndex = -1;
	button.tabIndex = 0;
}

function target(grid, { row, column }, key, far) {
	const last = { row: grid.rows.length - 1, column: grid.rows[0].cells.length - 1 };
	switch (key) {
	case "ArrowUp": return { row: row - 1, column };
	case "ArrowDown": return { row: row + 1, column };
	case "ArrowLeft": return { row, column: column - 1 };
	case "ArrowRight": return { row, column: column + 1 };
	case "Home": return { row: far ? 1 : row, column: 1 };
	case "End": return { row: far ? last.row : row, column: last.column };
	default: return null;
	}
}

for (const grid of grids) {
	const first = grid.querySelector("button");
	if (first)
		first.tabIndex = 0;

	grid.addEventListener("keydown", (event) => {
		const button = event.target.closest("button");
		const to = button && target(grid, place(button), event.key, event.ctrlKey);
		if (!to)
			return;
		event.preventDefault();
		const next = buttonAt(grid, to);
		if (next) {
			makeStop(next);
			next.focus();
		}
	});
	grid.addEventListener("click", (event) => {
		const button = event.target.closest("button");
		if (button) {
			makeStop(button);
			choose(button);
		}
	});
	grid.addEventListener("mouseover", (event) => {
		const button = event.target.closest("button");
		if (button)
			show(button, false);
	});
	grid.addEventListener("mouseleave", () => {
		if (chosen)
			show(chosen, false);
	});
}

closer.type = "button";
closer.className = "close";
closer.textContent = "close";
closer.addEventListener("click", () => {
	const button = chosen;
	hide();
	button?.focus();
});
document.addEventListener("keydown", (event) => {
	if (event.key === "Escape")
		hide();
});

for (const button of document.querySelectorAll("button[data-theme]")) {
	button.addEventListener("click", () => {
		document.documentElement.dataset.theme = button.dataset.theme;
		for (const other of document.querySelectorAll("button[data-theme]"))
			other.setAttribute("aria-pressed", other === button);
	});
}
