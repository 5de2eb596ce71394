/* global document, localStorage */
// Runs before the first paint, so that a chosen theme does not flash. A file, because the CSP allows no inline script.
(function () {
  try {
    var kept = JSON.parse(localStorage.getItem('klatch.preferences') || '{}');
    if (kept.theme === 'light' || kept.theme === 'dark') document.documentElement.dataset.theme = kept.theme;
    if (kept.density === 'compact') document.documentElement.dataset.density = 'compact';
  } catch {
    // Without storage the theme is the device's.
  }
})();
