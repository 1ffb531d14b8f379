// Follows a running verification: https://html.spec.whatwg.org/multipage/server-sent-events.html
const live = document.getElementById('live');
const log = document.getElementById('log');
const lineMax = 1000; // what stays in the page; the whole log is behind the link afterwards
if (live && log) {
  const events = new EventSource(live.dataset.events);
  let waiting = [];
  const flush = () => {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
    for (const line of waiting) log.append(line, '\n');
    waiting = [];
    while (log.childNodes.length > 2 * lineMax) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  };
  events.addEventListener('step', (event) => {
    const { step, at } = JSON.parse(event.data);
    const item = document.getElementById('step-' + step);
    if (!item) return;
    for (const other of document.querySelectorAll('.steps .current')) {
      other.classList.remove('current');
      other.removeAttribute('aria-current');
    }
    item.classList.add('begun', 'current');
    item.setAttribute('aria-current', 'step');
    item.querySelector('time').textContent = new Date(at).toLocaleTimeString(document.documentElement.lang);
  });
  events.addEventListener('log', (event) => {
    log.hidden = false;
    if (waiting.push(JSON.parse(event.data).line) === 1) requestAnimationFrame(flush);
  });
  events.addEventListener('verification', (event) => {
    const { status } = JSON.parse(event.data);
    if (status !== 'done' && status !== 'failed') return;
    events.close();
    location.reload();
  });
}
