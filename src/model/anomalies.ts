import type { Anomaly } from './inventory.ts';

type Told = Omit<Anomaly, 'layer'>;
export type AnomalyList = { add(anomaly: Told): void; list(): Told[] };

/** A hostile tar may have a million of them; a thousand say as much. The rest is counted. */
export const ANOMALIES_MAX = 1000;

export function makeAnomalyList(): AnomalyList {
  const told: Told[] = [];
  const more = new Map<Anomaly['code'], number>();
  return {
    add(anomaly) {
      if (told.length < ANOMALIES_MAX) told.push(anomaly);
      else more.set(anomaly.code, (more.get(anomaly.code) ?? 0) + 1);
    },
    list: () => [...told, ...Array.from(more, ([code, count]) => ({ code, detail: `${count} more of this kind` }))],
  };
}
