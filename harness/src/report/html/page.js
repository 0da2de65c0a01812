// Makes the page handier where scripts run: search, filters, copying, and opening what a link leads to. Without it everything is still there.
'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  reveal();
  addEventListener('beforeprint', () => all('.finding, .script').forEach((details) => { details.open = true; }));
  const listings = all('pre.copy');
  for (const listing of listings) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy-button';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(listing.textContent);
        button.textContent = 'Copied';
      } catch {
        getSelection().selectAllChildren(listing);
        button.textContent = 'Selected';
      }
    });
    listing.before(button);
  }
  const tools = document.querySelector('form.tools');
  if (!tools) return;
  tools.hidden = false;
  tools.addEventListener('submit', (event) => event.preventDefault());
  const items = all('details.finding, table.rows tbody tr, table.requirements tbody tr')
    .map((element) => ({ element, text: element.textContent.toLowerCase(), weight: element.dataset.weight }));
  const causes = document.getElementById('causes');
  const boxes = all('input[name=weight]', tools);
  const search = tools.querySelector('#search');
  const hits = tools.querySelector('#hits');
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const weights = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const { element, text, weight } of items) {
      const fits = words.every((word) => text.includes(word)) && (!weight || weights.has(weight));
      element.hidden = !fits;
      if (fits && (!causes || causes.contains(element))) shown += 1;
    }
    for (const cause of all('article.cause')) {
      cause.hidden = !cause.querySelector('details.finding:not([hidden]), tbody tr:not([hidden])');
    }
    hits.textContent = `${shown} ${causes ? 'finding' : 'row'}${shown === 1 ? '' : 's'} shown`;
  };
  let pending;
  search.addEventListener('input', () => { clearTimeout(pending); pending = setTimeout(filter, 120); });
  boxes.forEach((box) => box.addEventListener('change', filter));
  const toggle = tools.querySelector('#open-all');
  toggle.addEventListener('click', () => {
    const open = toggle.textContent === 'Open all';
    all('details.finding').forEach((details) => { details.open = open; });
    toggle.textContent = open ? 'Close all' : 'Open all';
  });
})();
