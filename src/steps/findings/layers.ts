import type { Anomaly } from '../../model/inventory.ts';
import type { Severity } from '../../model/verdict.ts';
import { count, found, type Found, type Scene } from './finding.ts';

/** Two readers get two different trees out of these; the others are odd and harmless to a reader that follows containerd. */
const GRAVE: ReadonlySet<Anomaly['code']> = new Set([
  'data-after-end',
  'duplicate-entry',
  'conflicting-header',
  'escapes-root',
  'bad-header',
  'truncated',
]);

/** Layers that two readers could read differently: one finding for each layer and kind. */
export function* layers(scene: Scene): Generator<Found> {
  const { published, rebuilt } = scene.file;
  const rebuiltLayers = new Set(rebuilt?.inventory.layers.map(({ diffId }) => diffId));
  const groups = Map.groupBy(published.inventory.anomalies, ({ layer, code }) => `${layer} ${code}`);
  for (const [first, ...rest] of groups.values()) {
    if (first === undefined) continue;
    const diffId = published.inventory.layers[first.layer]?.diffId;
    const ofBase = diffId !== undefined && rebuiltLayers.has(diffId);
    const severity: Severity = GRAVE.has(first.code) ? (ofBase ? 'medium' : 'high') : 'low';
    yield found(
      scene,
      'layer-anomaly',
      `layer ${first.layer}: ${first.detail}${rest.length === 0 ? '' : `, and ${count(rest.length, 'more')}`.replace('mores', 'more')}`,
      {
        severity,
        paths: [first, ...rest].flatMap(({ path }) => (path === undefined ? [] : [path])),
        layer: first.layer,
        evidence: { anomaly: first.code },
      },
    );
  }
}
