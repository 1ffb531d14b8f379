/** What the pages say, in French. Before `: ; ? !` and within « » stands a space that does not break. */
import { FINDINGS, type FindingCode } from '../../../src/model/finding-codes.ts';
import type { Auditable, Result } from '../../../src/model/verdict.ts';
import { html } from '../html.ts';
import type { Words } from './en.ts';
import { frCodes } from './fr-codes.ts';
import { FR_FINDINGS } from './fr-findings.ts';
import { FR_PROBLEMS } from './fr-problems.ts';

/** Nothing and one are singular in French. */
const plural = (count: number, one: string, more: string): string => (count < 2 ? one : more);
const files = (count: number, text: string): string => `${text} ${plural(count, 'fichier', 'fichiers')}`;

const COMPARED: Record<Result, string> = {
  identical: 'La reconstruction porte la même empreinte que l’image publiée',
  'layers-identical': 'La reconstruction a les mêmes couches et la même configuration que l’image publiée',
  equivalent: 'La reconstruction contient la même chose que l’image publiée, à ce qui diffère dans toute construction près',
  explained:
    'La reconstruction ne diffère de l’image publiée que par des paquets qui ont évolué, ou par ce qu’une autre reconstruction produit comme publié',
  different: 'L’image publiée n’est pas ce que sa source produit',
  suspicious: 'L’image publiée contient ce que ni l’archive ni sa source ne produisent',
  'not-comparable': 'L’image n’a pas pu être comparée à une reconstruction',
};
const CONTENTS: Record<Auditable, string> = {
  yes: 'l’origine de chaque fichier est établie',
  partly: 'l’origine de certains fichiers n’est pas entièrement établie',
  no: 'son contenu ne peut être audité',
  unknown: 'trop peu d’éléments ont pu être lus pour dire ce qu’elle contient',
};

const isKnown = (code: string): code is FindingCode => Object.hasOwn(FINDINGS, code);

export const fr: Words = {
  ...frCodes,

  site: {
    name: 'Français',
    skip: 'Aller au contenu',
    nav: 'Site',
    verdicts: 'Verdicts',
    fleet: 'Parc',
    api: 'API',
    key: 'Clé',
    motto: 'Copie certifiée conforme\u00a0: reconstruite depuis sa source, vérifiée fichier par fichier, signée.',
    predicate: 'Ce que dit un verdict',
    problems: 'Problèmes',
    colon: '\u00a0: ',
    moreInVerdict: (count) => `et ${count} de plus dans le verdict`,
    older: 'Plus anciens',
  },

  finding: ({ code, message, advice }) => (isKnown(code) ? { ...FR_FINDINGS[code], detail: message } : { title: message, advice }),
  summary({ result, reason, auditable, findings }) {
    const compared = reason === undefined ? COMPARED[result] : frCodes.reason[reason].replace(/\.$/, '');
    const worst =
      findings.find(({ severity }) => severity === 'critical') ??
      (auditable === 'no' ? findings.find(({ severity }) => severity === 'high') : undefined);
    const why = worst !== undefined && isKnown(worst.code) ? `\u00a0: ${lowered(FR_FINDINGS[worst.code].title)}` : '';
    return `${compared}\u202f; ${CONTENTS[auditable]}${why}.`;
  },
  problem: (code) => FR_PROBLEMS[code],

  overview: {
    title: 'Verdicts récents',
    lead: 'Des images publiées, reconstruites depuis leur source et vérifiées fichier par fichier.',
    empty: 'Rien n’a encore été jugé. Demandez le premier verdict\u00a0:',
    image: 'Image',
    answer: 'Réponse',
    rebuild: 'Reconstruction',
    files: 'Fichiers',
    asked: 'Demandé',
    filesBar: 'fichiers selon leur origine',
  },

  search: {
    title: 'Recherche',
    titleFor: (query) => `Recherche de «\u00a0${query}\u00a0»`,
    label: 'Trouver une image, une empreinte, un paquet ou un fichier',
    button: 'Chercher',
    nothing: 'Rien de ce qui a été jugé ne correspond.',
    images: 'Images',
  },

  fleet: {
    title: 'Quelles images le contiennent\u202f?',
    lead: 'Tout ce qui a été jugé est interrogé, dans l’ordre des versions de dpkg.',
    package: 'Un paquet',
    olderThan: 'antérieur à',
    anyVersion: 'toute version',
    cve: 'ou une vulnérabilité',
    ask: 'Demander',
    notAsked: 'non demandé',
    refused: 'ce n’est ni un nom de paquet, ni une version, ni un CVE',
    nobody: 'Aucune image jugée.',
    held: 'Images qui le contiennent',
    first: (count) => `les ${count} premières`,
    what: 'Quoi',
    putBy: 'Apporté par',
    judgedAgain: ', jugée de nouveau depuis',
    hidden: 'une couche ultérieure l’a retiré\u202f; l’image le contient malgré tout',
    noFix: 'pas encore de correctif',
    fixedIn: (version) => `corrigé dans ${version}`,
    layer: (number) => `couche ${number}`,
    line: (number) => `, ligne ${number} du Dockerfile`,
    tracker: (url, time) => html`D’après les données de ${url}, telles qu’obtenues le ${time}.`,
  },

  history: {
    title: (repository) => `Historique de ${repository}`,
    heading: (repository) => html`Historique de ${repository}`,
    change: (tag, before, until, now, since) => html`${tag} : ${before} jusqu’au ${until}, ${now} depuis le ${since}.`,
    notJudged: 'non jugée',
    chart: 'Les verdicts au fil du temps\u202f; le tableau ci-dessous dit la même chose en mots',
  },

  verdict: {
    history: 'historique',
    digest: 'empreinte',
    platform: 'plateforme',
    judged: 'jugée le',
    asked: 'demandé le',
    signedBy: 'signé par',
    checkIt: 'vérifier',
    runs: 'exécute',
    whatItRuns: 'Ce qu’elle exécute',
    answers: 'Les quatre réponses',
    rebuild: 'Reconstruction',
    coverage: 'Couverture',
    coverageMeans: 'des fichiers ont une origine établie par plus que notre reconstruction.',
    findings: 'Constats',
    grave: (count) => `dont ${count} critiques ou élevés.`,
    noneGrave: 'Aucun n’est critique ou élevé.',
    freshness: 'Fraîcheur',
    made: (rules, policy) => `Règles ${rules}, politique ${policy}.`,
    onThisPage: 'Sur cette page',
    picture: 'Vue d’ensemble',
    unexplained: 'Sans origine établie',
    files: 'Fichiers',
    layers: 'Couches',
    differences: 'Différences',
    source: 'Source',
    packages: 'Paquets',
    wholeImage: 'L’image entière',
    lookThrough: 'Parcourir les fichiers',
    pastPicture: 'Passer la vue d’ensemble',
    unexplainedTitle: 'Fichiers dont rien n’établit l’origine',
    all: (count) => `Tous les ${count}`,
    rules: 'Règles en vigueur',
    rulesMean: 'Ce que chacune peut excuser, et pourquoi',
    rule: 'Règle',
    reason: 'Raison',
    webhook: 'Webhook',
    address: 'Adresse',
    event: 'Événement',
    outcome: 'Issue',
    attempts: 'Essais',
    delivery: { delivered: 'remis', failed: 'échoué', pending: 'en attente' },
    attemptsMade: (count) => `${count} ${plural(count, 'essai', 'essais')}`,
    lastAttempt: (time, answer) => html`dernier le ${time} : ${answer}`,
    failedTitle: 'Il n’y a pas de verdict sur cette image.',
    failedLead: 'Le travail n’a pu être mené à bien. Cela ne dit rien de l’image\u202f; une nouvelle demande reprend du début.',
    code: 'Code',
    queuedTitle: 'En attente d’un exécutant libre.',
    runningTitle: 'Cette image est en cours d’examen.',
    runningLead: 'La réponse s’affiche ici dès qu’elle est là, le plus souvent en quelques minutes.',
    progress: 'Avancement',
    steps: 'Étapes',
    buildLog: 'Journal de construction',
    logToCome: 'Les lignes apparaissent ici pendant la construction.',
  },

  signed: {
    section: 'Signature et badge',
    check: html`Vérifier soi-même avec <code>gpg</code>`,
    statement: (verdict, key) => html`Le verdict ${verdict} est signé par la clé OpenPGP ${key}.`,
    show: 'Le montrer\u00a0: badge et adresse permanente',
    badge: 'le badge de cette image',
    permanent: 'Ce verdict, à jamais',
    options: (metrics) =>
      html`Aussi : <code>?metric=</code> ${metrics} ; <code>?style=</code>, <code>?label=</code>, <code>?logo=true</code>.`,
    others: 'Avec cosign, ou avant que podman ne la lance',
    forms: (envelope, summary) =>
      html`La même déclaration dans une <a href="${envelope}">enveloppe DSSE</a>, et un
        <a href="${summary}">résumé de vérification SLSA</a> :`,
    lookaside: (line) => html`Pour <code>signedBy</code> dans policy.json, la signature est à ${line}.`,
    noLookaside: html`Il n’y a pas de signature pour <code>signedBy</code> dans policy.json : il n’y en a que si le verdict est bon.`,
  },

  picture: {
    label: (count) => `${count} fichiers selon leur taille, colorés selon leur origine. Le tableau ci-dessous dit la même chose en mots.`,
    file: (path, size, account) => `${path}, ${size}\u00a0: ${account}`,
    folder: (path, count, size, account) => `${path}/, ${count} fichiers, ${size}\u00a0: ${account}`,
    count: (account, count) => `${account}\u00a0: ${count}`,
  },

  coverage: {
    title: 'D’où vient chaque fichier',
    byFiles: 'Par nombre de fichiers',
    byBytes: 'Par nombre d’octets',
    byExecutables: 'Exécutables et bibliothèques seuls',
    barFiles: 'fichiers selon leur origine',
    barBytes: 'octets selon leur origine',
    barExecutables: 'exécutables selon leur origine',
    account: 'Origine',
    files: 'Fichiers',
    bytes: 'Octets',
    executables: 'Exécutables',
    together: 'Ensemble',
    noneOf: (names) => `Aucun\u00a0: ${names}.`,
  },

  layers: {
    title: 'Couches',
    hidden: (bytes) =>
      `L’image finale n’en montre pas ${bytes}\u00a0: des couches ultérieures suppriment ou remplacent ces fichiers, et chacun les reçoit malgré tout.`,
    amount: (count, text, bytes) => `${files(count, text)}, ${bytes}`,
    adds: (amount) => html`ajoute ${amount}`,
    nothing: 'rien',
    replaces: (amount) => `remplace ${amount} des couches inférieures`,
    deletes: (amount) => `supprime ${amount} des couches inférieures`,
    notShown: (amount) => `${amount} absents de l’image finale`,
    download: (bytes) => `${bytes} à télécharger`,
    filesOf: (number) => `Fichiers de la couche ${number}`,
    line: (number) => `ligne ${number} du Dockerfile`,
    notSaid: 'non précisé',
    barHidden: (bytes) => `absent de l’image finale\u00a0: ${bytes}`,
    barEmpty: 'aucun fichier',
  },

  contents: {
    title: (path, image) => `${path} dans ${image}`,
    folders: 'Dossiers',
    allFiles: 'Tous les fichiers',
    onlyLayer: (layer) => html`Seulement ce que la couche ${layer} a apporté et que l’image finale montre.`,
    allLayers: 'De toutes les couches',
    sum: (count, text, bytes) => `${files(count, text)}, ${bytes}.`,
    itself: 'Le dossier lui-même\u00a0:',
    name: 'Nom',
    account: 'Origine',
    files: 'Fichiers',
    size: 'Taille',
    more: (shown, rest) => `Les ${shown} qui importent le plus\u202f; il y en a ${rest} de plus.`,
    kind: 'type',
    executable: ', compté parmi les exécutables',
    fileSize: 'taille',
    layer: 'couche',
    accounts: 'Ce qui en établit l’origine',
    others: 'Quelles autres images contiennent ce fichier',
  },

  chain: {
    deb: (purl, digest) => html`Le .deb de ${purl} a l’empreinte SHA-256 ${digest} : téléchargé et haché.`,
    belongs: (purl) => html`Il appartient à ${purl}.`,
    source: (path) => html`La source le contient sous ${path}.`,
    sourceAt: (path, revision) => html`La source le contient sous ${path}, à ${revision}.`,
    url: (url) => html`Il vient de ${url}.`,
    rule: (rule, reason) => html`Règle ${rule} : ${reason}.`,
    ruleAlone: (rule) => html`Règle ${rule}.`,
    line: (number) => html`La ligne ${number} du Dockerfile l’a produit.`,
    rebuilt: (digest) => html`Notre reconstruction l’a produit avec l’empreinte SHA-256 ${digest}.`,
    holds: (path, digest) => html`L’image contient ${path} avec l’empreinte SHA-256 ${digest}.`,
    release: (archive, date, signers) => html`Le fichier Release de ${archive}, daté du ${date}, est signé par ${signers}.`,
    releaseOfImage: (archive, date, signers) =>
      html`Le fichier Release de ${archive}, daté du ${date}, est signé par ${signers}, une clé venue avec l’image.`,
    index: (digest) => html`Il désigne l’index des paquets par l’empreinte SHA-256 ${digest}.`,
    names: (path) => html`L’index désigne ${path}.`,
    reproduced: (by, of) => html`${by} reconstructeurs sur ${of} l’ont reconstruit avec les mêmes octets.`,
  },

  findings: {
    title: 'Constats',
    none: 'Aucun\u00a0: rien dans cette image ne demande d’attention.',
    more: (count) => `${count} de plus dans le verdict`,
    morePaths: (count) => `et ${count} de plus`,
    layer: 'couche',
    dockerfile: 'Dockerfile',
    line: (number) => `ligne ${number}`,
    code: 'code',
  },

  rebuild: {
    title: 'Source et reconstruction',
    noSource: 'Aucune source n’est connue\u00a0: rien n’a été reconstruit.',
    context: 'contexte envoyé',
    repository: 'dépôt',
    commit: 'commit',
    ref: 'référence',
    folder: 'dossier',
    namedBy: 'indiqué par',
    evidence: {
      request: 'la demande',
      provenance: 'la provenance',
      label: 'un label de l’image',
      annotation: 'une annotation de l’image',
    },
    built: 'construit',
    builtAgain: 'reconstruit',
    conditions: (time, host, processors, inMemory) =>
      `${time}, hôte ${host}, ${processors} ${plural(processors, 'processeur', 'processeurs')}, fichiers ${inMemory ? 'en mémoire' : 'sur disque'}`,
    failed: (detail) => html`échec : ${detail}`,
    provenance: 'provenance',
    attached: (digest, type, by) => html`${digest}, ${type}, jointe par ${by}`,
    attachedBuilder: (builder) => html` ; constructeur ${builder}`,
    incomplete: '\u202f; elle ne donne pas tous les arguments',
    recipe: 'une recette qui a été essayée, pas une preuve',
    dockerfile: 'Dockerfile',
    stage: (name) => html`, étape ${name}`,
    byProvenance: ', comme le dit la provenance',
    builder: 'constructeur',
    archives: 'archives',
    asOf: (time) => `telles qu’elles étaient à ${time}`,
    platform: 'plateforme',
    base: 'image de base',
    at: (reference, digest) => html`${reference} à ${digest}`,
    argument: 'argument',
    line: (number) => ` (ligne ${number})`,
    log: 'Journal de construction',
    lastLines: (count) => `les ${count} dernières lignes`,
    wholeLog: 'Le journal entier',
    fetched: 'Téléchargé pendant la reconstruction',
    address: 'Adresse',
    size: 'Taille',
    instead: (original) => html`pour ${original}`,
    notSeen: 'non observé',
  },

  differences: {
    title: 'Publié et reconstruit',
    none: 'Aucune différence.',
    why: 'Pourquoi',
    paths: 'Chemins',
    whereFrom: 'D’où',
    same: 'Comme aucune de nos constructions ne le produit',
    unknown: 'Sans cause connue',
    all: 'Différences',
    first: (count) => `les ${count} premières`,
    path: 'Chemin',
    what: 'Ce qui diffère',
    line: (number) => `Dockerfile, ligne ${number}`,
    left: (count, text, reason) =>
      html`${files(count, text)} qui ${plural(count, 'diffère n’a pas été examiné', 'diffèrent n’ont pas été examinés')} : ${reason}.`,
    noTool: 'diffoscope n’est pas installé ici\u00a0: ce qu’il ajouterait manque.',
    packages: 'Paquets qui diffèrent, selon les bases des images elles-mêmes',
    package: 'Paquet',
    rebuilt: 'Reconstruit',
    published: 'Publié',
    notThere: 'absent',
    more: (count) => `et ${count} de plus`,
  },

  explanation: {
    inside: 'Ce qui diffère à l’intérieur',
    sides: (rebuilt, published, ours, theirs) =>
      html`Reconstruit ${rebuilt} ; publié ${published}. Dans ce qui suit, ${ours} est à nous et ${theirs} est ce qui a été publié.`,
    section: 'Section',
    member: 'Membre',
    by: (tool) => `Par ${tool}`,
    json: 'En JSON',
    lines: (count, added, removed) => `${added} ${plural(count, 'ligne ajoutée', 'lignes ajoutées')}, ${removed} en moins`,
    sections: (differing, all) => `${differing} sections sur ${all}`,
    members: (differing, all) => `${differing} membres sur ${all}`,
    fromByte: (offset) => `à partir de l’octet ${offset}`,
    bytes: (offset, hex) => `Les octets diffèrent à partir de l’octet ${offset} (0x${hex}).`,
    notRead: 'non lu',
    moreDiffer: (count) => `${count} de plus diffèrent.`,
    same: (count, text) => `${text} ${plural(count, 'est identique', 'sont identiques')}.`,
    against: (other) => html` contre ${other}`,
  },

  copies: {
    title: 'Copies hors des paquets',
    lead: 'Les mises à jour de sécurité de Debian ne les atteignent pas. Ce que chacune dit d’elle-même n’est pas une preuve.',
    list: 'Bibliothèques et modules',
    name: 'Nom',
    path: 'Chemin',
    recognised: 'Reconnu par',
    debian: 'Celle de Debian',
    layer: (number) => html`couche ${number}`,
    hidden: (how, number) => `, absent de l’image finale\u00a0: ${how} par la couche ${number}`,
    how: { whiteout: 'supprimé', opaque: 'supprimé', replaced: 'remplacé' },
    older: 'plus ancienne',
  },

  packages: {
    title: 'Paquets',
    none: 'L’image ne contient pas de base de paquets que conforme sache lire.',
    verified: (verified, all) => `${verified} sur ${all} sont vérifiés, de la signature de leur archive jusqu’à chaque fichier.`,
    reproduced: (packages, count, bytes, least, rebuilders) =>
      html`${packages} d’entre eux, soit ${count} fichiers et ${bytes}, ont été reconstruits depuis leur source avec les mêmes octets, par
      au moins ${least} de ${rebuilders}.`,
    recorded: (count) =>
      `Pour ${count} d’entre eux, les archives des constructions de Debian désignent ce .deb même\u00a0: une affirmation de la machine qui l’a construit, pas une preuve.`,
    bill: 'Nomenclature logicielle, avec la façon dont chaque composant a été vérifié\u00a0:',
    archives: 'Archives signées',
    suite: 'Suite',
    dated: 'Datée du',
    signedBy: 'Signée par',
    all: 'Tous les paquets',
    package: 'Paquet',
    standing: 'Vérifié',
    rebuilders: 'Reconstructeurs',
    reproducedBy: (by, of) => `reproduit par ${by} sur ${of}`,
    notReproduced: 'non reproduit',
    noAnswer: 'les reconstructeurs n’ont pas répondu',
    notAttested: 'non attesté',
  },

  problems: {
    title: 'Problèmes',
    lead: html`Les erreurs sont des documents <a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>,
      <code>application/problem+json</code>. Les programmes lisent <code>code</code>, qui est stable ; <code>detail</code> s’adresse aux
      personnes et peut changer.`,
    retry: 'un nouvel essai vaut la peine',
  },
};

/** In the middle of a sentence, but for names. */
function lowered(title: string): string {
  return /^(?:\/|[A-Z]{2}|Debian)/.test(title) ? title : title.charAt(0).toLowerCase() + title.slice(1);
}
