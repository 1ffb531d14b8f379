/** What the codes of a verdict are called in French. */
import type { Words } from './en.ts';

type Codes = Pick<
  Words,
  'auditable' | 'result' | 'reason' | 'base' | 'attribution' | 'severity' | 'cause' | 'class' | 'kind' | 'attachedBy' | 'status' | 'steps'
>;

export const frCodes: Codes = {
  auditable: {
    yes: { headline: 'Le contenu de cette image peut être audité.', value: 'Auditable' },
    partly: { headline: 'L’essentiel de cette image peut être audité, mais pas tout.', value: 'Auditable en partie' },
    no: { headline: 'Cette image contient des éléments dont personne ne peut répondre.', value: 'Non auditable' },
    unknown: { headline: 'Trop peu d’éléments ont pu être lus pour juger cette image.', value: 'Inconnu' },
  },

  result: {
    identical: { value: 'Identique', means: 'Notre reconstruction porte la même empreinte de manifeste.' },
    'layers-identical': { value: 'Couches identiques', means: 'Notre reconstruction a les mêmes couches et la même configuration.' },
    equivalent: { value: 'Équivalent', means: 'Notre reconstruction est la même, à des normalisations nommées et anodines près.' },
    explained: { value: 'Expliqué', means: 'Notre reconstruction diffère, et chaque différence a une cause anodine et prouvée.' },
    different: { value: 'Différent', means: 'Notre reconstruction diffère sans que rien ici ne l’explique.' },
    suspicious: {
      value: 'Suspect',
      means: 'Elle contient, à un endroit sensible, ce que ni l’archive ni notre reconstruction ne produisent.',
    },
    'not-comparable': {
      value: 'Non comparé',
      means: 'Aucune reconstruction à comparer\u202f; l’origine des fichiers est établie malgré tout.',
    },
  },

  reason: {
    'no-source': 'Rien ne dit à partir de quoi elle a été construite.',
    'source-mismatch': 'La source indiquée n’est pas celle dont elle est issue.',
    'local-context': 'Elle a été construite à partir d’un dossier qui n’est pas publié.',
    'secret-required': 'La construction exige un secret.',
    'input-gone': 'Un élément nécessaire à la construction n’existe plus.',
    'build-failed': 'La construction échoue.',
    flaky: 'La construction n’aboutit pas deux fois au même résultat.',
    timeout: 'La construction dépasse le temps accordé.',
    'policy-blocked': 'La construction demande ce que l’environnement propre refuse.',
    unsupported: 'La construction emploie ce que conforme ne sait pas exécuter.',
  },

  base: {
    digest: 'l’empreinte inscrite dans le Dockerfile',
    provenance: 'l’empreinte inscrite dans la provenance',
    label: 'l’empreinte que l’image note de sa base',
    layers: 'ses couches sont les plus basses de l’image publiée',
    tag: 'ce que l’étiquette désigne aujourd’hui',
  },

  attribution: {
    'debian-official': { name: 'Paquet Debian', means: 'les octets, le mode et le propriétaire que Debian a signés' },
    'debian-generated': { name: 'Produit par un paquet Debian', means: 'recalculé à partir de paquets signés, avec les mêmes octets' },
    'third-party': { name: 'Paquet tiers', means: 'signé par un dépôt dont la clé est venue avec l’image' },
    source: { name: 'Source', means: 'un fichier de la source, à son commit' },
    download: { name: 'Téléchargement épinglé', means: 'téléchargé par la construction, et épinglé par une empreinte dans la source' },
    base: { name: 'Image de base jugée', means: 'inchangé depuis une image de base qui a son propre verdict' },
    rebuilt: { name: 'Reconstruction seule', means: 'notre reconstruction le produit aussi, et rien de ce qui précède n’en dit l’origine' },
    volatile: { name: 'Volatil', means: 'diffère d’une construction à l’autre\u202f; égal après une normalisation nommée' },
    unexplained: { name: 'Sans origine établie', means: 'rien ne dit d’où il vient' },
  },

  severity: { critical: 'critique', high: 'élevé', medium: 'moyen', low: 'faible', info: 'info' },

  cause: {
    normalised: 'bruit anodin, normalisé par une règle nommée',
    'source-drift': 'construit à partir d’un autre état de la source',
    'package-drift': 'un paquet dans une autre version, celle qui est publiée étant vérifiée',
    'second-rebuild': 'une seconde reconstruction le produit exactement comme publié',
    unknown: 'aucune cause connue',
  },

  class: {
    noise: 'bruit qu’une règle nommée connaît',
    builder: 'laissé par l’outil de construction',
    base: 'vient de l’image de base, qui n’est pas la même de part et d’autre',
    drift: 'la source ou les paquets ont évolué',
    varies: 'nos deux reconstructions y diffèrent aussi l’une de l’autre',
    unrepeated: 'aucune seconde reconstruction ne dit si la construction elle-même varie',
    same: 'identique dans nos constructions, et autre dans l’image publiée',
  },

  kind: {
    file: 'fichier',
    directory: 'dossier',
    symlink: 'lien symbolique',
    character: 'périphérique caractère',
    block: 'périphérique bloc',
    fifo: 'tube nommé',
  },

  attachedBy: { index: 'l’index', referrers: 'un référent', 'cosign-tag': 'l’étiquette de cosign' },

  status: { queued: 'en attente', running: 'en cours', done: 'jugée', failed: 'n’a pu être jugée' },

  steps: [
    { step: 'pull', name: 'Lire l’image' },
    { step: 'source', name: 'Trouver la source' },
    { step: 'rebuild', name: 'Reconstruire' },
    { step: 'debian', name: 'Interroger l’archive Debian' },
    { step: 'reinstall', name: 'Installer à neuf' },
    { step: 'conclude', name: 'Comparer et juger' },
  ],
};
