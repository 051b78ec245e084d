"use strict";
// Gathers the answers, keeps them while the page is open, and saves them as a file.
const main = document.querySelector("main");
const cells = Array.from(document.querySelectorAll("li[data-number]"));
const status = document.querySelector("#status");
const answerOf = (cell) => ({
  type: cell.querySelector("select").value || null,
  origin: cell.querySelector("input:checked")?.value ?? null,
});
const count = () => {
  let done = 0;
  for (const cell of cells) {
    const answer = answerOf(cell);
    const complete = Boolean(answer.type && answer.origin);
    cell.classList.toggle("done", complete);
    done += complete;
  }
  status.textContent = `${done} of ${cells.length} cells answered`;
};
main.addEventListener("change", count);
document.querySelector("#save").addEventListener("click", () => {
  const answers = Object.fromEntries(cells.map((cell) => [cell.dataset.number, answerOf(cell)]));
  const reader = document.querySelector("#reader").value.trim() || null;
  const whole = { test: main.dataset.test, reader, answers };
  const link = document.createElement("a");
  link.href = "data:application/json," + encodeURIComponent(JSON.stringify(whole, null, 1));
  link.download = `answers-${main.dataset.test}.json`;
  link.click();
});
count();
