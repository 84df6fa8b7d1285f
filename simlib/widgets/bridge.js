// Runs around the frame of the map whenever it has loaded: carries what the kernel says to it, and what is clicked back.
const reach = tries => {
  const explorer = this.closest(".simlib-explorer");
  const told = explorer?.querySelector(".simlib-told");
  const field = explorer?.querySelector(".simlib-clicked input");
  if (!told || !field) {
    if (tries) setTimeout(reach, 50, tries - 1);
    return;
  }
  const {port1, port2} = new MessageChannel();
  port1.onmessage = ({data}) => {
    field.value = data === null ? "" : String(data);
    field.dispatchEvent(new Event("input", {bubbles: true}));
  };
  this.contentWindow.postMessage(null, "*", [port2]);
  const tell = () => port1.postMessage(told.textContent);
  this.watch?.disconnect();
  this.watch = new MutationObserver(tell);
  this.watch.observe(told, {childList: true, subtree: true, characterData: true});
  tell();
};
reach(200);
