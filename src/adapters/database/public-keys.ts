import type { Signer } from '../../ports.ts';
import { Problem } from '../../problem.ts';
import { text } from './rows.ts';
import type { Sql } from './sql.ts';

/** The public half of the key, for the processes of an instance that do not hold it. */
export type PublicKeys = Pick<Signer, 'publicKey' | 'fingerprint'> & { publish(signer: Signer): Promise<void> };

/** Reading throws `not-found` before the first process that signs has started. */
export function makePublicKeys({ query }: Sql): PublicKeys {
  const newest = async (column: 'armored' | 'fingerprint'): Promise<string> => {
    const [row] = await query('select armored, fingerprint from signing_keys order by seq desc limit 1');
    if (row === undefined) throw new Problem('not-found', 'no key has been made yet: the process that signs has not started');
    return text(row, column);
  };
  return {
    publicKey: () => newest('armored'),
    fingerprint: () => newest('fingerprint'),
    async publish(signer) {
      await query('insert into signing_keys (fingerprint, armored) values ($1, $2) on conflict (fingerprint) do nothing', [
        await signer.fingerprint(),
        await signer.publicKey(),
      ]);
    },
  };
}
