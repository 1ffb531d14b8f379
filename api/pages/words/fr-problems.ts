import type { ProblemCode } from '../../../src/problem.ts';
import type { ProblemWords } from './en.ts';

const LATER = 'Réessayez après Retry-After\u202f; rien de ce qui a été accepté n’est perdu.';
const AGAIN = 'Réessayez plus tard.';
const KEEPER = 'Qui exploite le service doit';

export const FR_PROBLEMS: Record<ProblemCode, ProblemWords> = {
  'invalid-request': {
    title: 'La demande n’a pas la forme documentée',
    advice:
      'Voyez «\u00a0errors\u00a0» dans la réponse\u00a0: chaque entrée a un pointeur JSON vers la partie visée. Les noms inconnus sont refusés, pour qu’une faute de frappe ne passe pas pour un silence.',
  },
  'invalid-reference': {
    title: 'La référence de l’image est mal formée',
    advice: 'Écrivez l’image comme Docker le fait\u00a0: nginx, ghcr.io/a/b:1 ou host:5000/a/b@sha256:….',
  },
  'invalid-source': {
    title: 'La source ne peut être utilisée telle qu’indiquée',
    advice:
      'Indiquez un dépôt par une adresse http ou https sans utilisateur ni mot de passe, avec une référence et un dossier qui s’y trouvent.',
  },
  'invalid-context': {
    title: 'Le contexte de construction envoyé n’est pas un tar utilisable',
    advice: 'Envoyez un tar, compressé ou non par gzip, dont les membres restent à l’intérieur\u00a0: tar -C dossier -cz . le fait.',
  },
  'digest-mismatch': {
    title: 'Les octets n’ont pas l’empreinte sous laquelle ils ont été envoyés',
    advice: 'Calculez le SHA-256 des octets exacts qui sont envoyés, et mettez-le dans le chemin.',
  },
  unauthorized: {
    title: 'Un jeton d’API valide est nécessaire',
    advice:
      'Envoyez «\u00a0Authorization: Bearer …\u00a0» avec le jeton que le service a affiché à son premier démarrage, ou avec un jeton d’identité que CONFORME_OIDC admet.',
  },
  'address-refused': {
    title: 'L’adresse est privée, locale ou, pour une autre raison, inaccessible',
    advice:
      'Les adresses privées, de bouclage et de lien local sont refusées, même derrière un nom ou une redirection. Qui exploite le service peut autoriser un réseau par CONFORME_ALLOW_ADDRESSES.',
  },
  'not-found': {
    title: 'Il n’y a rien de tel ici',
    advice:
      'Vérifiez l’adresse. Une vérification en cours n’a encore ni fichiers ni différences\u202f; les questions sur un CVE demandent les données de l’outil de suivi de sécurité.',
  },
  'context-missing': {
    title: 'Aucun contexte de construction n’a été envoyé sous cette empreinte',
    advice: 'Envoyez d’abord le contexte par PUT à /v1/contexts/{digest}.',
  },
  'image-not-found': { title: 'Le registre n’a pas cette image', advice: 'Vérifiez le nom et l’étiquette, et si l’image est publique.' },
  'platform-not-found': {
    title: 'L’image n’est pas publiée pour cette plateforme',
    advice: 'Indiquez l’une des plateformes pour lesquelles l’image est publiée.',
  },
  'too-large': {
    title: 'Plus d’octets qu’il n’en est accepté',
    advice: 'Envoyez-en moins\u00a0: par exemple un contexte de construction sans ce que .dockerignore écarte.',
  },
  'unsupported-media-type': {
    title: 'Un corps de ce type de média n’est pas lu ici',
    advice: 'Envoyez du JSON sous le type application/json.',
  },
  'idempotency-key-reused': {
    title: 'Cette Idempotency-Key a déjà accompagné une autre demande',
    advice: 'Prenez une nouvelle Idempotency-Key pour une nouvelle demande.',
  },
  'image-unsupported': {
    title: 'L’image a une forme que conforme ne lit pas',
    advice: 'Publiez l’image avec les types de média OCI ou Docker schéma 2.',
  },
  'image-malformed': {
    title: 'L’image enfreint sa spécification ou ses propres empreintes',
    advice:
      'Publiez l’image de nouveau. Si rien ne change, le registre ou un intermédiaire donne d’autres octets que ceux que disent ses empreintes.',
  },
  'limit-exceeded': {
    title: 'L’image dépasse une limite qui protège ce service',
    advice: 'L’image a plus de couches, de fichiers ou d’octets que ce service n’en lit. Qui l’exploite peut relever la limite.',
  },
  'too-many-requests': { title: 'Trop de demandes', advice: 'Attendez le nombre de secondes indiqué par Retry-After.' },
  'registry-denied': {
    title: 'Le registre refuse l’accès',
    advice: 'Rendez l’image publique, ou donnez au service des identifiants pour le registre.',
  },
  'registry-unavailable': {
    title: 'Le registre ne répond pas comme il devrait',
    advice: `${AGAIN} Le registre répond par une erreur ou pas du tout.`,
  },
  'source-unavailable': {
    title: 'Le dépôt de la source ne répond pas comme il devrait',
    advice: `${AGAIN} Le dépôt de la source répond par une erreur ou pas du tout.`,
  },
  'archive-unavailable': {
    title: 'L’archive de paquets ne répond pas comme elle devrait',
    advice: `${AGAIN} L’archive de paquets répond par une erreur ou pas du tout.`,
  },
  'archive-untrusted': {
    title: 'L’archive de paquets a répondu par ce que ses clés n’ont pas signé',
    advice: `${AGAIN} Si rien ne change, quelqu’un se tient entre les deux.`,
  },
  'security-data-unavailable': {
    title: 'L’outil de suivi de sécurité ne répond pas comme il devrait',
    advice:
      'Rien à faire\u00a0: ce qui a été obtenu auparavant reste en usage un jour, et les verdicts nomment les données sur lesquelles ils reposent. Voir CONFORME_SECURITY_TRACKER_URL.',
  },
  'webhook-unavailable': {
    title: 'Le webhook ne répond pas comme il devrait',
    advice: 'Voyez ce que le destinataire a répondu\u202f; il est informé de nouveau pendant plus d’un jour.',
  },
  'identity-unavailable': {
    title: 'L’émetteur du jeton ne répond pas comme il devrait',
    advice: 'Réessayez après Retry-After. L’émetteur du jeton (voir CONFORME_OIDC) ne répond pas, ou avec autre chose qu’une clé.',
  },
  'queue-unavailable': { title: 'La file d’attente est momentanément absente', advice: LATER },
  'database-unavailable': { title: 'La base de données est momentanément absente', advice: LATER },
  'blobs-unavailable': { title: 'Le stockage des blobs est momentanément absent', advice: LATER },
  'blob-missing': {
    title: 'Un document conservé manque',
    advice: `${KEEPER} examiner le stockage des blobs\u00a0: un document en a disparu.`,
  },
  'environment-missing': {
    title: 'Il manque à cette machine ce dont conforme a besoin',
    advice: `${KEEPER} installer ce que le journal nomme\u202f; scripts/setup le fait.`,
  },
  'invalid-configuration': {
    title: 'La configuration est mal formée',
    advice: `${KEEPER} corriger la variable que le journal nomme.`,
  },
  'disk-full': { title: 'Le disque est plein', advice: `${KEEPER} faire de la place.` },
  internal: {
    title: 'Une erreur de notre part',
    advice:
      'Un défaut de conforme lui-même. Le journal en dit plus sous l’«\u00a0instance\u00a0» de la réponse\u202f; merci de le signaler.',
  },
};
