/** Keeps the page as high as what is visible, so that a phone's keyboard does not cover the composer. */
export function keepWindowHeight(): void {
  const { visualViewport } = window;
  if (!visualViewport) return;
  const fit = () => {
    const covered = window.innerHeight - visualViewport.height > 80 && visualViewport.scale === 1;
    const { style } = document.documentElement;
    if (covered) style.setProperty('--window-height', `${String(visualViewport.height)}px`);
    else style.removeProperty('--window-height');
  };
  visualViewport.addEventListener('resize', fit);
  fit();
}
