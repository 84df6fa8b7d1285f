// Runs around the frame of the map whenever it has loaded. The map follows the slider at once, without the kernel; the
// kernel tells it which item is selected, and what is clicked in it goes back to the kernel.
const reach = tries => {
  const explorer = this.closest(".simlib-explorer");
  const slider = explorer?.querySelector(".widget-readout");
  const told = explorer?.querySelector(".simlib-told");
  const field = explorer?.querySelector(".simlib-clicked input");
  if (!slider?.textContent || !told || !field) {
    if (tries) setTimeout(reach, 50, tries - 1);
    return;
  }
  const {port1, port2} = new MessageChannel();
  port1.onmessage = ({data}) => {
    field.value = data === null ? "" : String(data);
    field.dispatchEvent(new Event("input", {bubbles: true}));
  };
  this.contentWindow.postMessage(null, "*", [port2]);
  const tell = () => port1.postMessage([slider.textContent, told.textContent]);
  this.watch?.disconnect();
  this.watch = new MutationObserver(tell);
  for (const each of [slider, told]) this.watch.observe(each, {childList: true, subtree: true, characterData: true});
  tell();
};
reach(200);
