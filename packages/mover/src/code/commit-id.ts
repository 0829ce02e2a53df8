/**
 * Reads a file within the folder, by names from its top: `undefined` for what is no regular file, or larger than so many
 * bytes. Links are not followed.
 */
export type ReadText = (names: readonly string[], mostBytes: number) => Promise<string | undefined>;

/** Where a repository's files are, by names from the top of the folder. */
interface GitPlace {
  /** Of this checkout: `HEAD`. */
  readonly own: readonly string[];
  /** Of all checkouts: branches and tags. */
  readonly common: readonly string[];
}

const mostPointerBytes = 4096;
const mostPackedBytes = 16 * 1024 * 1024;
/** Git itself follows five. */
const mostSteps = 5;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no name has
const refName = /^[^.\s\\\u0000-\u001f][^\s\\\u0000-\u001f]*$/;
const commitId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The commit that is checked out in a folder, as its `.git` says; null where nothing says it. Git is never run: what lies
 * in a project's folder may have it start programs. `folderPaths`: the folder's own absolute paths, for a `.git` that is a file with an
 * absolute path into the folder. What lies outside of the folder is not looked at.
 */
export async function commitIdIn(read: ReadText, folderPaths: readonly string[]): Promise<string | null> {
  const place = await findGit(read, folderPaths);
  if (place === undefined) return null;
  let said = await readLine(read, [...place.own, 'HEAD']);
  for (let step = 0; step < mostSteps && said !== undefined; step += 1) {
    if (commitId.test(said)) return said;
    const name = /^ref: *(.+)$/.exec(said)?.[1];
    const names = name === undefined ? undefined : refNames(name);
    if (name === undefined || names === undefined) return null;
    said =
      (await readLine(read, [...place.own, ...names])) ??
      (await readLine(read, [...place.common, ...names])) ??
      (await packedRef(read, place, name));
  }
  return null;
}

async function findGit(read: ReadText, folderPaths: readonly string[]): Promise<GitPlace | undefined> {
  const pointer = await readLine(read, ['.git']);
  if (pointer === undefined) return { own: ['.git'], common: ['.git'] };
  const target = /^gitdir: *(.+)$/.exec(pointer)?.[1];
  const own = target === undefined ? undefined : namesWithin([], target, folderPaths);
  if (own === undefined) return undefined;
  const shared = await readLine(read, [...own, 'commondir']);
  if (shared === undefined) return { own, common: own };
  const common = namesWithin(own, shared, folderPaths);
  return common && { own, common };
}

/** `undefined` for a path that leads out of the folder. */
function namesWithin(
  from: readonly string[],
  path: string,
  folderPaths: readonly string[],
): readonly string[] | undefined {
  const folder = folderPaths.find((each) => path === each || path.startsWith(`${each}/`));
  if (path.startsWith('/') && folder === undefined) return undefined;
  const names = folder === undefined ? [...from] : [];
  for (const name of path.slice(folder?.length ?? 0).split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return undefined;
  }
  return names;
}

/** Only names as Git itself takes them: none leads anywhere but down from `refs`. */
function refNames(name: string): readonly string[] | undefined {
  const names = name.split('/');
  const isPlain = names[0] === 'refs' && names.length > 1 && names.every((each) => refName.test(each));
  return isPlain ? names : undefined;
}

async function packedRef(read: ReadText, { common }: GitPlace, name: string): Promise<string | undefined> {
  const packed = await read([...common, 'packed-refs'], mostPackedBytes);
  const line = packed?.split('\n').find((each) => each.endsWith(` ${name}`) && !each.startsWith('#'));
  return line?.slice(0, -name.length - 1);
}

async function readLine(read: ReadText, names: readonly string[]): Promise<string | undefined> {
  return (await read(names, mostPointerBytes))?.trimEnd();
}
