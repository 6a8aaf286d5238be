// Gradio takes pictures from the clipboard by a button alone: Ctrl+V is as if the file had been chosen. There is nothing
// to choose it by before the page is built, nor while another file is sent: it waits for that.
let pasted = null;

function choosePasted() {
  const chooser = document.querySelector("input[type=file]");
  if (!pasted || !chooser) return;
  const chosen = new DataTransfer();
  chosen.items.add(pasted);
  pasted = null;
  chooser.files = chosen.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  pasted = file;
  choosePasted();
});

// Nor does it name its groups and examples for those who do not see them.
new MutationObserver(() => {
  choosePasted();
  for (const example of document.querySelectorAll(".examples button:not([aria-label])")) {
    const file = example.querySelector("img")?.src.split("/").pop().split(".")[0];
    if (file) example.setAttribute("aria-label", `Example ${file.replace("_", " ")}`);
  }
  for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
    const name = group.querySelector("[data-testid=block-info]")?.textContent;
    if (name) group.setAttribute("aria-label", name);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
