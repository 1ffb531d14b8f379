import { defineCommand, EXIT, UsageError } from './command.ts';
import { clientOf, escapeJson, JSON_OPTION, printJson, say, SERVICE } from './shared.ts';

export const keys = defineCommand({
  name: 'keys',
  summary: 'Prints the OpenPGP key that a service signs with',
  operands: ['[options]'],
  options: { ...SERVICE, ...JSON_OPTION },
  about: `Compare the fingerprint with what whoever runs the service tells you by another way, and keep the key:
  conforme keys > conforme.asc
  conforme check verdict.json verdict.json.asc --key conforme.asc`,
  async run(values, operands) {
    if (operands.length > 0) throw new UsageError('the command is: conforme keys');
    const armored = await clientOf(values).publicKey();
    const { readKey } = await import('openpgp');
    const key = await readKey({ armoredKey: armored });
    const fingerprint = key.getFingerprint().toUpperCase();
    if (values.json === true) printJson({ fingerprint, userIds: key.getUserIDs(), key: armored });
    else {
      say(`${fingerprint}  ${key.getUserIDs().join(', ')}`);
      process.stdout.write(escapeJson(armored.replaceAll('\r', '')));
    }
    return EXIT.pass;
  },
});
