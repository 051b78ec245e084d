"use strict";
// Makes the columns of a table sortable; without it the table stays in the order of the fields.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const rows = Array.from(body.rows).map((row) => [key(row), row]);
      rows.sort((a, b) => a[0].localeCompare(b[0], undefined, { numeric: true }));
      if (descending) rows.reverse();
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
