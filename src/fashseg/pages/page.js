// Comfort on top of a page that is complete without it: sorting, enlarging, copying, and folded text open on paper.
"use strict";

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Sorting: ascending, descending, and as it was. What has no number is last both ways.
const words = new Intl.Collator("en", { numeric: true });

function compare(a, b, place, numeric, direction) {
  const [left, right] = [a, b].map((row) => row.cells[place]);
  const [x, y] = [left, right].map((cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : NaN));
  const [noX, noY] = [Number.isNaN(x), Number.isNaN(y)];
  if (!noX && !noY) return direction * (x - y);
  if (noX !== noY) return noX ? 1 : -1;
  if (numeric) return 0;
  const [t, u] = [left, right].map((cell) => cell.textContent.trim());
  if (!t !== !u) return t ? -1 : 1;
  return direction * words.compare(t, u);
}

function sortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  if (original.length < 2) return;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = element("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: null }[head.getAttribute("aria-sort") ?? ""];
      const order = next === undefined ? "ascending" : next;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (order) head.setAttribute("aria-sort", order);
      const direction = order === "descending" ? -1 : 1;
      const numeric = head.classList.contains("number");
      const rows = [...original];
      if (order) rows.sort((a, b) => compare(a, b, place, numeric, direction));
      body.append(...rows);
    });
    head.append(button);
  });
}

document.querySelectorAll("table[data-sort]").forEach(sortable);

// Enlarging: one dialog for all pictures. The browser closes it on Escape.
function enlarger() {
  const close = element("button", { type: "button", textContent: "Close", autofocus: true });
  const caption = element("p");
  const frame = element("div", { className: "frame", tabIndex: 0 });
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", "Enlarged picture");
  const dialog = element("dialog", {}, frame, element("div", { className: "foot" }, caption, close));
  dialog.setAttribute("aria-label", "Enlarged picture");
  let opener = null;
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    // The event comes after the closing: another picture may be open by then.
    if (dialog.open) return;
    frame.replaceChildren();
    opener?.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  return (image, button) => {
    opener = button;
    const picture = element("img", { src: image.src, alt: image.alt, className: image.className });
    // A chart has text to be read: on a phone it is wider than the screen, and scrolls.
    const least = image.classList.contains("chart") ? "44rem" : "0px";
    picture.style.setProperty("--least", `max(${least}, ${image.getBoundingClientRect().width}px)`);
    picture.style.setProperty("--shape", image.naturalWidth / image.naturalHeight || 1);
    caption.textContent = image.closest("figure").querySelector("figcaption")?.textContent ?? "";
    frame.replaceChildren(picture);
    dialog.showModal();
  };
}

const images = document.querySelectorAll("img[data-enlarge]");
if (images.length) {
  const enlarge = enlarger();
  images.forEach((image) => {
    const button = element("button", { type: "button", className: "enlarge", title: "Enlarge" });
    button.setAttribute("aria-haspopup", "dialog");
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => enlarge(image, button));
  });
}

// Copying: by the clipboard, else by the old command, else marked for Ctrl+C.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy") ? "Copied" : "Marked: press Ctrl+C";
  }
}

document.querySelectorAll("code[data-copy]").forEach((code) => {
  const label = code.closest(".code").querySelector(".label");
  const button = element("button", { type: "button", textContent: "Copy" });
  button.setAttribute("aria-describedby", label.id);
  button.setAttribute("aria-live", "polite");
  const bar = element("div", { className: "bar" });
  label.replaceWith(bar);
  bar.append(label, button);
  button.addEventListener("click", async () => {
    button.textContent = await copy(code);
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
});

// Paper shows what is folded.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => {
  opened.forEach((details) => { details.open = false; });
});

// A box that has nothing to scroll is no stop of the Tab key.
const boxes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    if (scrolls) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".wide, pre").forEach((box) => boxes.observe(box));

// The contents show where one is.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const onScreen = new Set();
const sections = new IntersectionObserver((entries) => {
  entries.forEach(({ target, isIntersecting }) => onScreen[isIntersecting ? "add" : "delete"](target.id));
  const first = [...links.keys()].find((id) => onScreen.has(id));
  links.forEach((link, id) => (id === first ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
}, { rootMargin: "-10% 0px -50% 0px" });
document.querySelectorAll("main > section").forEach((section) => sections.observe(section));
