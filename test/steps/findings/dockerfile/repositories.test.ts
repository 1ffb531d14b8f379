import { table } from '../../../support/dockerfile-faults.ts';

const KEY = 'https://apt.example/key.asc';
const RING = '/usr/share/keyrings/example.gpg';
const DEB = (options: string): string => `deb [${options}] https://apt.example/app bookworm main`;
const FINGERPRINT = '9DC858229FC7DD38854AE2D88D81803C0EBFCD88';
const SUM = 'a'.repeat(64);

table('repository-key-unpinned', [
  ['a key into a keyring', `RUN curl -fsSL ${KEY} | gpg --dearmor -o ${RING}`, [2]],
  ['a key by redirection', `RUN curl -fsSL ${KEY} | gpg --dearmor > ${RING}`, [2]],
  ['a key to trusted.gpg.d', `RUN wget -qO /etc/apt/trusted.gpg.d/example.asc ${KEY}`, [2]],
  ['a key through tee', `RUN wget -qO- ${KEY} | sudo tee /etc/apt/keyrings/example.asc >/dev/null`, [2]],
  ['a key by way of a file', `RUN curl -o /tmp/k ${KEY} && gpg --dearmor -o ${RING} /tmp/k`, [2]],
  ['ADD of a key', `ADD ${KEY} /etc/apt/keyrings/example.asc`, [2]],
  ['apt-key add', `RUN curl ${KEY} | apt-key add -`, [2]],
  ['apt-key adv', `RUN apt-key adv --keyserver keys.example --recv-keys ${FINGERPRINT}`, [2]],
  ['a short key id', `RUN gpg --no-default-keyring --keyring ${RING} --keyserver keys.example --recv-keys 0EBFCD88`, [2]],
  ['trusted=yes', `RUN echo "${DEB('trusted=yes')}" > /etc/apt/sources.list.d/e.list`, [2]],
  ['trusted=yes beside a key', `RUN echo "${DEB(`trusted=yes signed-by=${RING}`)}" >> /etc/apt/sources.list`, [2]],
  [
    'Trusted: yes in a here-document',
    'COPY <<EOF /etc/apt/sources.list.d/e.sources\nTypes: deb\nURIs: https://apt.example/app\nSuites: stable\nComponents: main\nTrusted: yes\nEOF',
    [2],
  ],
  ['no signed-by', `RUN echo "${DEB('arch=amd64')}" | tee /etc/apt/sources.list.d/e.list`, [2]],
  [
    'no signed-by in a here-document',
    'RUN cat <<EOF > /etc/apt/sources.list.d/e.sources\nTypes: deb\nURIs: https://apt.example/app\nSuites: stable\nComponents: main\nEOF',
    [2],
  ],
  [
    'one of two lines',
    `RUN printf 'deb http://httpredir.debian.org/debian sid main\\ndeb https://apt.example/x ./\\n' > /etc/apt/sources.list.d/e.list`,
    [2],
  ],
  ['add-apt-repository', 'RUN add-apt-repository -y ppa:a/b', [2]],
  ['packages without a signature', 'RUN apt-get install -y --allow-unauthenticated x', [2]],
  ['packages without a signature, by an option', 'RUN apt-get -o APT::Get::AllowUnauthenticated=true install x', [2]],
  ['a fingerprint that nobody heeds', `RUN curl -o ${RING} ${KEY}; gpg --show-keys ${RING} | grep -q ${FINGERPRINT} || true`, [2]],
  ['a fingerprint that is only shown', `RUN curl -o ${RING} ${KEY} && gpg --show-keys --with-fingerprint ${RING}`, [2]],
  ['a short id that is looked for', `RUN curl -o ${RING} ${KEY} && gpg --show-keys ${RING} | grep -q 0EBFCD88`, [2]],

  ['a key of the source', `COPY example.gpg ${RING}\nRUN echo "${DEB(`signed-by=${RING}`)}" > /etc/apt/sources.list.d/e.list`, []],
  [
    'a key with its checksum',
    `RUN curl -o ${RING} ${KEY} && echo "${SUM}  ${RING}" | sha256sum -c - && echo "${DEB(`signed-by=${RING}`)}" > /etc/apt/sources.list.d/e.list`,
    [],
  ],
  [
    'a key with its checksum, through gpg',
    `RUN set -e; curl ${KEY} | gpg --dearmor -o ${RING}; echo "${SUM}  ${RING}" | sha256sum -c -`,
    [],
  ],
  ['ADD with a checksum', `ADD --checksum=sha256:${SUM} ${KEY} /etc/apt/keyrings/example.asc`, []],
  ['its fingerprint looked for', `RUN curl -o ${RING} ${KEY} && gpg --show-keys --with-colons ${RING} | grep -q ${FINGERPRINT}`, []],
  [
    'a whole fingerprint asked for',
    `RUN gpg --no-default-keyring --keyring ${RING} --keyserver keys.example --recv-keys ${FINGERPRINT}`,
    [],
  ],
  ["Debian's own", 'RUN echo "deb http://httpredir.debian.org/debian bookworm-backports main" > /etc/apt/sources.list.d/b.list', []],
  ["a mirror of Debian's", 'RUN echo "deb http://mirror.example/debian bookworm main" > /etc/apt/sources.list', []],
  ['a snapshot', 'RUN echo "deb http://snapshot.debian.org/archive/debian/20240101T000000Z bookworm main" > /etc/apt/sources.list', []],
  ['another file', `RUN echo "${DEB('trusted=yes')}" > /doc/example`, []],
  ['packages as usual', 'RUN apt-get install -y --no-install-recommends gnupg', []],
]);

table('download-unchecked', [
  ['a key is told as a key alone', `RUN curl -fsSL ${KEY} | gpg --dearmor -o ${RING}`, []],
  ['a key by way of a file as well', `RUN curl -o /tmp/k ${KEY} && gpg --dearmor -o ${RING} /tmp/k`, []],
]);
