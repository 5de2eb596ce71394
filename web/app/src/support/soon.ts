/** Gathers many calls of one moment into one: at the next frame, or a little later while nobody looks. */
export function gatherer(work: () => void): { soon: () => void; cancel: () => void } {
  let frame = 0;
  let timer = 0;
  const cancel = () => {
    cancelAnimationFrame(frame);
    window.clearTimeout(timer);
    frame = timer = 0;
  };
  const run = () => {
    cancel();
    work();
  };
  const soon = () => {
    if (frame || timer) return;
    if (document.visibilityState === 'visible') frame = requestAnimationFrame(run);
    timer = window.setTimeout(run, 300);
  };
  return { soon, cancel };
}
