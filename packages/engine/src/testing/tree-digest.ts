import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One hash over the names, types, modes, modification times and contents below a directory of plain files and
 * directories, without the directory's own metadata: two trees with the same digest are the same.
 */
export function treeDigest(path: string): string {
  const hash = createHash('sha256');
  const visit = (below: string): void => {
    for (const name of readdirSync(join(path, below)).sort()) {
      const place = join(below, name);
      const { mode, mtimeNs } = lstatSync(join(path, place), { bigint: true });
      hash.update(JSON.stringify([place, Number(mode), String(mtimeNs)]));
      if ((Number(mode) & 0o170000) === 0o040000) visit(place);
      else
        hash.update(
          createHash('sha256')
            .update(readFileSync(join(path, place)))
            .digest(),
        );
    }
  };
  visit('');
  return hash.digest('hex');
}
