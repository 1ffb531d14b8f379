import type { FindingCode } from '../../../src/model/finding-codes.ts';

const SECRET = 'Considérez ce secret comme connu de tous\u00a0: remplacez-le.';

/** What each kind of finding is, and what to do about it, as src/model/finding-codes.ts says in English. */
export const FR_FINDINGS: Record<FindingCode, { title: string; advice: string }> = {
  'packaged-file-replaced': {
    title: 'Un fichier d’un paquet Debian n’a pas les octets que Debian a signés',
    advice:
      'Cherchez qui a modifié le fichier. Réinstallez le paquet depuis l’archive, ou détournez le chemin par dpkg-divert dans le Dockerfile.',
  },
  'packaged-file-attributes-changed': {
    title: 'Un fichier d’un paquet Debian a un autre mode, propriétaire ou attribut étendu que ceux que le paquet lui donne',
    advice: 'Réglez le mode et le propriétaire des fichiers de paquets par dpkg-statoverride, ou laissez-les tels quels.',
  },
  'packaged-file-missing': {
    title: 'Des fichiers de paquets installés ne sont pas dans l’image',
    advice: 'Anodin si c’est pour gagner de la place\u202f; retirez des paquets entiers là où ils ne servent pas.',
  },
  'generated-file-missing': {
    title: 'Des fichiers que les paquets produisent à leur installation ne sont pas dans l’image',
    advice: 'Laissez-les, ou retirez le paquet qui les produit.',
  },
  'conffile-edited': {
    title: 'Un fichier de configuration d’un paquet a été modifié',
    advice: 'Gardez le fichier modifié dans la source et copiez-le par COPY, pour que chacun voie ce qu’il dit.',
  },
  'package-database-forged': {
    title: 'La base de paquets de l’image contredit les paquets vérifiés',
    advice: 'Rien d’honnête ne modifie ces fichiers. Reconstruisez l’image depuis une base de confiance.',
  },
  'package-unverified': {
    title: 'L’archive n’a pas ce paquet installé dans cette version',
    advice:
      'Reconstruisez l’image avec les paquets actuels\u202f; ou faites en sorte que l’archive des instantanés soit joignable, puis vérifiez de nouveau.',
  },
  'third-party-package': {
    title: 'Des paquets viennent d’un dépôt autre que Debian, dont l’image elle-même donne la clé',
    advice: 'Décidez si vous faites confiance au détenteur de cette clé. Seul l’éditeur de l’image dit qu’elle est la bonne.',
  },
  'package-not-reproduced': {
    title: 'Des reconstructeurs n’ont pu reconstruire un paquet avec les mêmes octets',
    advice:
      'Rien à faire pour l’image. Bien des paquets contiennent l’heure ou le lieu de leur construction, et une construction qui échoue compte aussi.',
  },
  'outdated-package': {
    title: 'L’archive signée de Debian a une version plus récente d’un paquet installé',
    advice:
      'Reconstruisez l’image avec les paquets actuels\u202f; si la version plus récente est dans l’archive de sécurité, un correctif est paru.',
  },
  'known-vulnerability': {
    title: 'Une version plus récente d’un paquet installé corrige une vulnérabilité, dit l’outil de suivi de sécurité de Debian',
    advice:
      'Reconstruisez l’image avec les paquets actuels. L’outil de suivi n’est pas signé\u00a0: le constat nomme l’empreinte et l’heure de ses données.',
  },
  'setuid-unexpected': {
    title: 'Un programme s’exécute avec les droits de son propriétaire ou de son groupe, sans qu’aucun paquet vérifié ne l’y autorise',
    advice: 'Retirez le bit setuid ou setgid, ou installez le programme depuis un paquet.',
  },
  'capability-unexpected': {
    title: 'Un programme porte des capacités qu’aucun paquet vérifié ne lui donne',
    advice: 'Retirez la capacité, ou accordez-la au conteneur plutôt qu’au fichier.',
  },
  'preload-configured': {
    title: '/etc/ld.so.preload charge une bibliothèque dans chaque programme',
    advice: 'Supprimez /etc/ld.so.preload.',
  },
  'loader-changed': {
    title: 'Le chemin de recherche ou la configuration du chargeur dynamique ou de la résolution de noms a été modifié',
    advice: 'Installez les bibliothèques là où le chargeur les trouve déjà.',
  },
  'account-unexpected': {
    title: 'Un compte ou une appartenance à un groupe qu’aucun paquet vérifié ne crée',
    advice: 'Supprimez-le, ou créez-le dans le Dockerfile avec un identifiant sans privilège et sans interpréteur de connexion.',
  },
  'password-set': {
    title: 'On peut ouvrir une session sur un compte avec un mot de passe, ou sans aucun',
    advice: 'Verrouillez le compte\u00a0: passwd --lock.',
  },
  'ssh-access': {
    title: 'L’image contient des clés qui permettent une connexion, ou une configuration modifiée du serveur SSH',
    advice: 'Donnez les clés au conteneur à son démarrage, jamais à l’image.',
  },
  'scheduled-job': {
    title: 'Une tâche planifiée qu’aucun paquet vérifié n’apporte',
    advice: 'Vérifiez ce qu’elle exécute\u202f; planifiez les tâches hors de l’image.',
  },
  'service-unit': {
    title: 'Un service démarré automatiquement et qu’aucun paquet vérifié n’apporte',
    advice: 'Vérifiez ce qu’il démarre.',
  },
  'sudo-rule': {
    title: 'Une règle de sudo ou de polkit qu’aucun paquet vérifié n’apporte',
    advice: 'Supprimez-la\u00a0: un conteneur n’a pas besoin de changer d’utilisateur.',
  },
  'apt-trust-changed': {
    title: 'Ce qu’apt croit, interroge ou exécute a été modifié',
    advice: 'Attachez les dépôts tiers à leur propre clé par Signed-By, et nommez-les dans le Dockerfile.',
  },
  'pam-changed': {
    title: 'La façon dont les connexions sont contrôlées a été modifiée',
    advice: 'Installez les modules PAM depuis des paquets et activez-les par pam-auth-update.',
  },
  'login-script': {
    title: 'Un script ou un réglage que tout interpréteur de commandes lit, et qu’aucun paquet vérifié n’apporte',
    advice: 'Définissez les variables par ENV dans le Dockerfile.',
  },
  'alternative-unpackaged': {
    title: 'Une alternative pointe vers un élément qu’aucun paquet vérifié ne contient',
    advice: 'Faites-la pointer vers un programme d’un paquet, ou appelez le programme par son propre nom.',
  },
  'alternative-changed': {
    title: 'Une alternative pointe vers un autre programme que celui que les paquets choisissent',
    advice: 'Vérifiez quel programme est voulu\u202f; nommez-le par update-alternatives --set dans le Dockerfile.',
  },
  'world-writable': {
    title: 'N’importe quel utilisateur peut modifier ce programme ou ce dossier du système',
    advice: 'chmod o-w.',
  },
  'device-unexpected': {
    title: 'Un fichier de périphérique en plus de ceux d’usage',
    advice: 'Donnez les périphériques au conteneur à son démarrage.',
  },
  'bytecode-unconfirmed': {
    title: 'Du code Python compilé, à côté d’un module d’un paquet, n’est pas ce que ce module donne une fois compilé',
    advice: 'Supprimez le dossier __pycache__ et laissez py3compile le refaire.',
  },
  'unexplained-code': {
    title: 'Du code dont ni un paquet vérifié, ni la source, ni la reconstruction n’établissent l’origine',
    advice: 'Installez-le depuis un paquet, ou construisez-le dans le Dockerfile à partir de sources épinglées par empreinte.',
  },
  'unexplained-file': {
    title: 'Des fichiers dont rien n’établit l’origine',
    advice: 'Indiquez la source dont l’image est issue\u202f; apportez les fichiers par COPY.',
  },
  'rebuilt-code': {
    title: 'Du code dont la seule origine établie est que la reconstruction produit le même',
    advice:
      'Épinglez par empreinte ce que la construction télécharge, ou installez-le depuis un paquet\u00a0: son origine est alors connue aussi.',
  },
  'unverified-download': {
    title: 'La construction télécharge un fichier que rien n’épingle, et ce fichier est dans l’image',
    advice: 'Épinglez-le\u00a0: ADD --checksum=sha256:…, ou contrôlez-le par sha256sum -c.',
  },
  'configuration-changed': {
    title: 'La configuration de l’image n’est pas celle que la reconstruction produit',
    advice: 'Cherchez où l’image publiée a été construite, et par qui.',
  },
  'environment-dangerous': {
    title: 'Une variable de l’image fait charger ou exécuter un autre code aux programmes',
    advice: 'Retirez la variable de l’image.',
  },
  'file-missing': {
    title: 'La reconstruction produit des fichiers que l’image publiée ne contient pas',
    advice: 'Publiez ce que la source produit.',
  },
  'source-drift': {
    title: 'L’image a été construite à partir d’un autre commit que celui indiqué',
    advice: 'Indiquez le commit dont l’image est issue, ou publiez-la de nouveau depuis celui-ci.',
  },
  'dockerfile-differs': {
    title: 'La provenance de l’image contient un autre Dockerfile que la source',
    advice: 'Construisez à partir de ce qui est validé, avec le dépôt comme contexte, pour que chacun voie ce qui a été construit.',
  },
  'uncommitted-source': {
    title: 'L’image a été construite à partir d’une copie de travail dont les modifications n’étaient pas validées',
    advice: 'Validez ce qui est construit. La reconstruction part du seul commit\u00a0: ce qui diffère peut venir de ces modifications.',
  },
  'base-not-pinned': {
    title: 'Rien ne dit quelle image d’une étiquette la construction a prise',
    advice: 'Écrivez dans le Dockerfile l’empreinte derrière l’étiquette, ou laissez l’outil de construction joindre sa provenance.',
  },
  'base-moved': {
    title: 'L’étiquette de l’image de base désigne aujourd’hui une autre image, et celle d’alors est inconnue ou disparue',
    advice:
      'Reconstruisez et publiez l’image pour avoir la base actuelle. Écrivez l’empreinte derrière l’étiquette, ou laissez l’outil de construction joindre sa provenance.',
  },
  'base-layers-differ': {
    title: 'L’image de base indiquée n’est pas celle sur laquelle repose l’image publiée',
    advice: 'Cherchez sur quoi l’image a été construite. Les outils qui fondent toutes les couches en une font cela aussi.',
  },
  'base-condemned': {
    title: 'Le verdict sur l’image de base a un constat critique sur des fichiers qui sont encore là',
    advice: 'Construisez sur une autre base. L’objet du constat est dans le verdict sur celle-ci.',
  },
  'base-unaccounted': {
    title: 'Le verdict sur l’image de base ne dit pas d’où viennent certains de ses fichiers, et ils sont encore là',
    advice: 'Faites vérifier la base avec sa source, ou construisez sur une base dont l’origine de tous les fichiers est établie.',
  },
  'package-drift': {
    title: 'Des paquets ont évolué depuis que l’image a été construite',
    advice: 'Reconstruisez et publiez l’image pour avoir les paquets plus récents.',
  },
  'secret-in-image': {
    title: 'L’image contient ce qui ressemble à un secret',
    advice: `${SECRET} Employez des secrets de construction, et montez les secrets au démarrage du conteneur.`,
  },
  'secret-in-layer': {
    title: 'Une couche inférieure contient ce qui ressemble à un secret\u202f; le supprimer ensuite ne l’a pas retiré',
    advice: `${SECRET} Employez RUN --mount=type=secret.`,
  },
  'hidden-file': {
    title: 'Des couches inférieures contiennent des fichiers que l’image finale ne montre pas',
    advice: 'Créez et supprimez les fichiers temporaires dans la même étape du Dockerfile.',
  },
  'bundled-library': {
    title: 'Une bibliothèque est dans l’image hors des paquets de Debian',
    advice:
      'Les mises à jour de sécurité de Debian n’atteignent pas ces copies\u00a0: mettez-les à jour là d’où elles viennent, ou employez la bibliothèque du paquet.',
  },
  'host-key': {
    title: 'L’image contient une clé d’hôte ou un certificat que tous les conteneurs partagent',
    advice: 'Supprimez-la dans le Dockerfile et laissez le conteneur créer la sienne à son démarrage.',
  },
  'machine-id': {
    title: 'L’image contient un identifiant de machine que tous les conteneurs partagent',
    advice: 'Videz /etc/machine-id dans le Dockerfile.',
  },
  'builder-file-leaked': {
    title: 'Un fichier de l’environnement de l’outil de construction est dans l’image',
    advice: 'Construisez avec un outil à jour, qui n’inclut pas ces fichiers.',
  },
  'content-not-compared': {
    title: 'Des caches et des journaux dont seule la forme a été contrôlée',
    advice: 'Supprimez-les dans l’étape qui les produit\u00a0: rm -rf /var/cache/apt/*.bin /var/log/apt, etc.',
  },
  'layer-anomaly': {
    title: 'Une couche peut être lue de deux façons',
    advice: 'Construisez l’image avec un outil courant. Les outils honnêtes n’écrivent pas de telles couches.',
  },
  'no-source': {
    title: 'Aucune source n’est connue\u00a0: rien n’a été reconstruit',
    advice: 'Indiquez le dépôt et le commit dans la demande, ou dans le label org.opencontainers.image.source.',
  },
  'rebuild-failed': {
    title: 'L’image n’a pu être reconstruite\u202f; cela ne dit rien contre elle',
    advice: 'Voyez les dernières lignes du journal de construction.',
  },
  'build-not-reproducible': {
    title: 'La construction ne produit pas deux fois les mêmes fichiers',
    advice:
      'Tenez l’horloge, les nombres aléatoires, le nom d’hôte, le nombre de processeurs et l’ordre des listes hors de ce qu’une étape écrit\u00a0: respectez SOURCE_DATE_EPOCH, triez les listes.',
  },
  'second-rebuild-failed': {
    title: 'L’image n’a été reconstruite qu’une fois\u00a0: aucune différence ne peut être distinguée du bruit de la construction',
    advice: 'Vérifiez de nouveau, ou accordez plus de temps aux constructions.',
  },
  'reinstall-missing': {
    title: 'Les paquets n’ont pu être installés à neuf\u00a0: les fichiers produits ne sont pas confirmés',
    advice: 'Dans ce verdict, les fichiers que produisent les scripts des paquets reposent sur la seule reconstruction.',
  },
  'package-found-by-hash': {
    title: 'Des fichiers de paquets Debian qu’aucune base de paquets de l’image ne nomme',
    advice:
      'Gardez /var/lib/dpkg, et installez les paquets par apt-get\u00a0: les analyseurs et les mises à jour de sécurité les voient alors aussi.',
  },
  'no-package-database': {
    title: 'L’image n’a pas de base de paquets Debian',
    advice: 'Construisez sur une image de base Debian, et gardez /var/lib/dpkg.',
  },
  'base-unpinned': {
    title: 'Le Dockerfile nomme une image par une étiquette, qui peut être demain une autre image',
    advice: 'Ajoutez l’empreinte\u00a0: FROM nom:étiquette@sha256:…. Des robots la tiennent à jour.',
  },
  'base-latest': {
    title: 'Le Dockerfile construit sur l’image la plus récente, quelle qu’elle soit',
    advice: 'Nommez une version et son empreinte\u00a0: FROM nom:étiquette@sha256:….',
  },
  'download-unchecked': {
    title: 'Une étape télécharge un fichier, et rien ne lui est opposé',
    advice:
      'Contrôlez-le dans la même étape par sha256sum -c ou gpg --verify, de sorte qu’un échec termine l’étape\u202f; ou employez ADD --checksum=sha256:….',
  },
  'download-executed': {
    title: 'Une étape exécute ce qu’elle télécharge, tel quel',
    advice: 'Gardez le fichier, contrôlez son SHA-256, puis exécutez-le\u202f; ou installez le programme depuis un paquet.',
  },
  'repository-key-unpinned': {
    title: 'Le Dockerfile fait confiance à un dépôt de paquets par une clé qu’il n’épingle pas, ou sans clé',
    advice:
      'Copiez la clé depuis la source par COPY, ou contrôlez son SHA-256 ou son empreinte dans la même étape, et nommez-la par signed-by.',
  },
  'varying-step': {
    title: 'Ce qu’une étape produit dépend de l’horloge ou de nombres aléatoires',
    advice: 'Prenez l’heure de SOURCE_DATE_EPOCH, et créez clés et identifiants au démarrage du conteneur.',
  },
  'cache-left': {
    title: 'Une étape laisse dans l’image un cache du jour',
    advice: 'Supprimez-le dans la même étape, ou tenez-le hors de l’image par RUN --mount=type=cache.',
  },
  'compiled-package': {
    title: 'Une étape compile ce que Debian fournit en paquet',
    advice: 'Installez le paquet\u00a0: il est signé, reçoit des mises à jour de sécurité, et d’autres le reconstruisent.',
  },
  'step-unread': {
    title: 'Le script d’une étape est trop long ou trop imbriqué pour être examiné',
    advice: 'Mettez les longs scripts dans des fichiers à part et copiez-les par COPY.',
  },
  'archive-not-configured': {
    title: 'L’image est d’une distribution dérivée de Debian dont cette instance ne suit pas l’archive',
    advice: 'Si elle mérite confiance, l’exploitant de l’instance en nomme l’archive et le trousseau dans CONFORME_DERIVATIVES.',
  },
};
