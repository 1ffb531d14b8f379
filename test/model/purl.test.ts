import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianPurl } from '../../src/model/purl.ts';

test('package URLs of Debian packages', () => {
  // The first is an example of the purl specification.
  assert.equal(debianPurl('attr', '1:2.4.47-2+b1', 'amd64'), 'pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64');
  assert.equal(debianPurl('nginx', '1.22.1-9', 'amd64'), 'pkg:deb/debian/nginx@1.22.1-9?arch=amd64');
  assert.equal(debianPurl('libstdc++6', '12.2.0-14~x', 'all'), 'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14~x?arch=all');
  assert.equal(
    debianPurl('x', '1', 'all', 'debian', 'https://x.example/a b'),
    'pkg:deb/debian/x@1?arch=all&repository_url=https:%2F%2Fx.example%2Fa%20b',
  );
  assert.equal(debianPurl('bash', '5.1', undefined, 'ubuntu'), 'pkg:deb/ubuntu/bash@5.1');
});
