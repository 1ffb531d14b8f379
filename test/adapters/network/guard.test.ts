import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeGuard } from '../../../src/adapters/network/guard.ts';

const strict = makeGuard({ allow: [], hosts: [] });

describe('the guard', () => {
  const refused = [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.0.8',
    '198.18.0.1',
    '203.0.113.80',
    '240.0.0.1',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fec0::1',
    '5f00::1',
  ];
  for (const address of refused) it(`refuses ${address}`, () => assert.equal(strict.allows(address), false));

  for (const address of ['1.1.1.1', '151.101.2.132', '::ffff:1.1.1.1', '2606:4700:4700::1111', '2a04:4e42::644']) {
    it(`allows ${address}`, () => assert.equal(strict.allows(address), true));
  }

  it('allows the networks it is told to, and no other', () => {
    const guard = makeGuard({ allow: ['127.0.0.0/8', 'fd00::/8', '10.0.0.7'], hosts: [] });
    assert.deepEqual(['127.0.0.1', '::ffff:127.0.0.1', 'fd12::1', '10.0.0.7', '10.0.0.8', '::1'].map(guard.allows), [
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    assert.throws(() => makeGuard({ allow: ['10.0.0.0/99'], hosts: [] }), { code: 'invalid-configuration' });
  });

  it('looks at where a name leads, and at literals in every notation', async () => {
    for (const host of ['localhost', 'LOCALHOST.', '127.1', '0x7f.1', '2130706433', '[::1]', '[::ffff:7f00:1]']) {
      await assert.rejects(strict.resolve(host), { code: 'address-refused' }, host);
    }
  });

  it('reaches a configured host wherever its name leads', async () => {
    const guard = makeGuard({ allow: [], hosts: ['LocalHost'] });
    assert.equal((await guard.resolve('localhost.'))[0].address, '127.0.0.1');
    await assert.rejects(guard.resolve('127.0.0.1'), { code: 'address-refused' });
  });
});
