import type { BadgeWords } from '../../../src/steps/draw-badge.ts';
import { frCodes } from './fr-codes.ts';
import { frFormats } from './formats.ts';

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What a badge says in French. */
export const FR_BADGE: BadgeWords = {
  notJudged: 'non jugée',
  judging: 'en cours',
  failed: 'n’a pu être jugée',
  unavailable: 'indisponible',
  auditable: 'auditable',
  partly: (share) => `auditable à ${share}`,
  notAuditable: 'non auditable',
  unknown: 'inconnu',
  accounted: (share) => `${share} d’origine établie`,
  noPackages: 'aucun paquet',
  verified: (verified, total) => (verified === total ? `${total} paquets vérifiés` : `${verified} paquets sur ${total} vérifiés`),
  judged: (day) => `jugée le ${day}`,
  verdict: 'verdict',
  percent: frFormats.percent,
  result: {
    identical: lower(frCodes.result.identical.value),
    'layers-identical': lower(frCodes.result['layers-identical'].value),
    equivalent: lower(frCodes.result.equivalent.value),
    explained: lower(frCodes.result.explained.value),
    different: lower(frCodes.result.different.value),
    suspicious: lower(frCodes.result.suspicious.value),
    'not-comparable': lower(frCodes.result['not-comparable'].value),
  },
};
