import type { EnvelopeSigner, Signer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { text } from './rows.ts';
import type { Sql } from './sql.ts';

/** The public halves of the keys, for the processes of an instance that do not hold them. */
export type PublicKeys = {
  signer: Pick<Signer, 'publicKey' | 'fingerprint'>;
  envelopeSigner: Pick<EnvelopeSigner, 'publicKey' | 'keyId'>;
  publish(signer: Pick<Signer, 'publicKey' | 'fingerprint'>, envelopeSigner: Pick<EnvelopeSigner, 'publicKey' | 'keyId'>): Promise<void>;
};

/** Reading throws `not-found` before the first process that signs has started. */
export function makePublicKeys({ query }: Sql): PublicKeys {
  const newest = async (table: 'signing_keys' | 'envelope_keys', column: string): Promise<string> => {
    const [row] = await query(`select ${column} from ${table} order by seq desc limit 1`);
    if (row === undefined) throw new Problem('not-found', 'no key has been made yet: the process that signs has not started');
    return text(row, column);
  };
  return {
    signer: { publicKey: () => newest('signing_keys', 'armored'), fingerprint: () => newest('signing_keys', 'fingerprint') },
    envelopeSigner: { publicKey: () => newest('envelope_keys', 'pem'), keyId: () => newest('envelope_keys', 'key_id') },
    async publish(signer, envelopeSigner) {
      // The same key may come to have another user id.
      await query(
        `insert into signing_keys (fingerprint, armored) values ($1, $2)
         on conflict (fingerprint) do update set armored = excluded.armored`,
        [await signer.fingerprint(), await signer.publicKey()],
      );
      await query('insert into envelope_keys (key_id, pem) values ($1, $2) on conflict (key_id) do nothing', [
        await envelopeSigner.keyId(),
        await envelopeSigner.publicKey(),
      ]);
    },
  };
}
