import type { Delivery } from '../../src/ports.ts';
import { deliveryView } from '../views.ts';
import { html, type Html } from './html.ts';
import type { Tone } from './tones.ts';
import type { Say } from './words/index.ts';

const TONES: Record<Delivery['status'], Tone> = { delivered: 'good', failed: 'bad', pending: 'none' };

/** Who was told of a verification, and what came of it. */
export function deliveriesSection(say: Say, deliveries: Delivery[]): Html {
  if (deliveries.length === 0) return html``;
  const words = say.verdict;
  const rows = deliveries.map((delivery) => {
    const { url, event, status, attempts } = deliveryView(delivery, false);
    const last = attempts.at(-1);
    return html`<tr>
      <td><code>${url}</code></td>
      <td>${event}</td>
      <td><span class="tag ${TONES[status]}">${words.delivery[status]}</span></td>
      <td>
        ${words.attemptsMade(attempts.length)}${last !== undefined && html`<small>${words.lastAttempt(say.time(last.at), last.status ?? last.error)}</small>`}
      </td>
    </tr>`;
  });
  return html`<section aria-labelledby="deliveries">
    <h2 id="deliveries">${words.webhook}</h2>
    <div class="card scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">${words.address}</th>
            <th scope="col">${words.event}</th>
            <th scope="col">${words.outcome}</th>
            <th scope="col">${words.attempts}</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </section>`;
}
