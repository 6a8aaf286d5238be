// Gradio takes pictures from the clipboard by a button alone: Ctrl+V is as if the file had been chosen.
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  const chooser = document.querySelector("input[type=file]");
  if (!file || !chooser) return;
  const chosen = new DataTransfer();
  chosen.items.add(file);
  chooser.files = chosen.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
  event.preventDefault();
});

// Nor does it name its groups and examples for those who do not see them.
new MutationObserver(() => {
  for (const example of document.querySelectorAll(".examples button:not([aria-label])")) {
    const file = example.querySelector("img")?.src.split("/").pop().split(".")[0];
    if (file) example.setAttribute("aria-label", `Example ${file.replace("_", " ")}`);
  }
  for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
    const name = group.querySelector("[data-testid=block-info]")?.textContent;
    if (name) group.setAttribute("aria-label", name);
  }
}).observe(document.body, { childList: true, subtree: true });
