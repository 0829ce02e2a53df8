import { HoldfastError } from '@holdfast/base';
import koffi from 'koffi';

/**
 * The C library's functions that Node does not offer, called with the kernel's own types. glibc and musl export all
 * of these on every version that Node runs on; what some of them lack goes by number through `syscall`.
 * All return -1 for a failure, whose number is then `koffi.errno()`. Paths are bytes that end with a zero. What runs
 * for every file of a backup takes addresses: see `NativeMemory`.
 */
export interface SystemCalls {
  openat(directory: number, pathAddress: number, flags: number, mode: number): number;
  mkdirat(directory: number, path: Buffer, mode: number): number;
  mknodat(directory: number, path: Buffer, mode: number, device: number): number;
  symlinkat(target: Buffer, directory: number, path: Buffer): number;
  linkat(fromDirectory: number, from: Buffer, toDirectory: number, to: Buffer, flags: number): number;
  unlinkat(directory: number, path: Buffer, flags: number): number;
  renameat(fromDirectory: number, from: Buffer, toDirectory: number, to: Buffer): number;
  renameat2(fromDirectory: number, from: Buffer, toDirectory: number, to: Buffer, flags: number): number;
  readlinkat(directory: number, path: Buffer, into: Buffer, size: number): number;
  fchownat(directory: number, path: Buffer, uid: number, gid: number, flags: number): number;
  chmod(path: Buffer, mode: number): number;
  utimensat(directory: number, path: Buffer, times: Buffer, flags: number): number;
  futimens(file: number, times: Buffer): number;
  statx(directory: number, pathAddress: number, flags: number, mask: number, intoAddress: number): number;
  getdents64(directory: number, intoAddress: number, size: number): number;
  lseek(file: number, offset: number, whence: number): number;
  /** Linux 6.13 and later. */
  listxattrat(
    directory: number,
    pathAddress: number,
    flags: number,
    intoAddress: number,
    size: number,
  ): number;
  llistxattr(path: Buffer, into: Buffer | null, size: number): number;
  lgetxattr(path: Buffer, name: Buffer, into: Buffer | null, size: number): number;
  lsetxattr(path: Buffer, name: Buffer, value: Uint8Array, size: number, flags: number): number;
  lremovexattr(path: Buffer, name: Buffer): number;
  flistxattr(file: number, into: Buffer | null, size: number): number;
  fgetxattr(file: number, name: Buffer, into: Buffer | null, size: number): number;
  fsetxattr(file: number, name: Buffer, value: Uint8Array, size: number, flags: number): number;
  fremovexattr(file: number, name: Buffer): number;
  /** Waits on a thread of its own, as all that may take long. Offsets are the same in both files. */
  copyFileRange(from: number, to: number, offset: number, size: number): Promise<number>;
  syncFileRange(file: number, offset: number, size: number, flags: number): number;
  ioprioSet(which: number, who: number, priority: number): number;
  /** Waits on a thread of its own: a file system may take minutes. */
  syncfs(file: number): Promise<number>;
}

/** The same on every processor, as all calls since Linux 5.1. */
const listxattratNumber = 465;
/** Linux numbers its older system calls differently on each processor. */
const numbersOfArchitecture: Readonly<
  Record<string, { mknodat: number; statx: number; getdents64: number; renameat2: number; ioprioSet: number }>
> = {
  x64: { mknodat: 259, statx: 332, getdents64: 217, renameat2: 316, ioprioSet: 251 },
  arm64: { mknodat: 33, statx: 291, getdents64: 61, renameat2: 276, ioprioSet: 30 },
};

let loaded: SystemCalls | undefined;

/** @throws HoldfastError `system-unsupported` on anything but Linux on x64 or arm64 */
export function systemCalls(): SystemCalls {
  loaded ??= load();
  return loaded;
}

function load(): SystemCalls {
  const numbers = numbersOfArchitecture[process.arch];
  if (process.platform !== 'linux' || numbers === undefined) {
    throw new HoldfastError(
      'system-unsupported',
      `Holdfast does not run on ${process.platform} ${process.arch}.`,
      {
        hint: 'Run it on Linux on x64 or arm64.',
      },
    );
  }
  const library = koffi.load(null);
  const named = (prototype: string) => library.func(prototype);
  const numbered = (...types: readonly string[]) => library.func('syscall', 'long', ['long', ...types]);
  const mknodat = numbered('int', 'void *', 'uint32_t', 'uint32_t');
  const statx = numbered('int', 'intptr_t', 'int', 'uint32_t', 'intptr_t');
  const getdents64 = numbered('int', 'intptr_t', 'size_t');
  const renameat2 = numbered('int', 'void *', 'int', 'void *', 'uint32_t');
  const ioprioSet = numbered('int', 'int', 'int');
  const listxattrat = numbered('int', 'intptr_t', 'int', 'intptr_t', 'size_t');
  const syncfs = named('int syncfs(int file)');
  const copyFileRange = named(
    'long copy_file_range(int from, void *fromOffset, int to, void *toOffset, size_t size, uint32_t flags)',
  );
  return {
    openat: named('int openat(int directory, intptr_t path, int flags, uint32_t mode)'),
    mkdirat: named('int mkdirat(int directory, void *path, uint32_t mode)'),
    mknodat: (directory, path, mode, device) => mknodat(numbers.mknodat, directory, path, mode, device),
    symlinkat: named('int symlinkat(void *target, int directory, void *path)'),
    linkat: named('int linkat(int fromDirectory, void *from, int toDirectory, void *to, int flags)'),
    unlinkat: named('int unlinkat(int directory, void *path, int flags)'),
    renameat: named('int renameat(int fromDirectory, void *from, int toDirectory, void *to)'),
    renameat2: (fromDirectory, from, toDirectory, to, flags) =>
      renameat2(numbers.renameat2, fromDirectory, from, toDirectory, to, flags),
    readlinkat: named('long readlinkat(int directory, void *path, void *into, size_t size)'),
    fchownat: named('int fchownat(int directory, void *path, uint32_t uid, uint32_t gid, int flags)'),
    chmod: named('int chmod(void *path, uint32_t mode)'),
    utimensat: named('int utimensat(int directory, void *path, void *times, int flags)'),
    futimens: named('int futimens(int file, void *times)'),
    statx: (directory, path, flags, mask, into) => statx(numbers.statx, directory, path, flags, mask, into),
    getdents64: (directory, into, size) => getdents64(numbers.getdents64, directory, into, size),
    listxattrat: (directory, path, flags, into, size) =>
      listxattrat(listxattratNumber, directory, path, flags, into, size),
    ioprioSet: (which, who, priority) => ioprioSet(numbers.ioprioSet, which, who, priority),
    lseek: named('long lseek(int file, long offset, int whence)'),
    llistxattr: named('long llistxattr(void *path, void *into, size_t size)'),
    lgetxattr: named('long lgetxattr(void *path, void *name, void *into, size_t size)'),
    lsetxattr: named('int lsetxattr(void *path, void *name, void *value, size_t size, int flags)'),
    lremovexattr: named('int lremovexattr(void *path, void *name)'),
    flistxattr: named('long flistxattr(int file, void *into, size_t size)'),
    fgetxattr: named('long fgetxattr(int file, void *name, void *into, size_t size)'),
    fsetxattr: named('int fsetxattr(int file, void *name, void *value, size_t size, int flags)'),
    fremovexattr: named('int fremovexattr(int file, void *name)'),
    syncFileRange: named('int sync_file_range(int file, int64_t offset, int64_t size, uint32_t flags)'),
    copyFileRange: (from, to, offset, size) => {
      const [fromOffset, toOffset] = [offsetMemory(offset), offsetMemory(offset)];
      return new Promise((resolve, reject) => {
        copyFileRange.async(...[from, fromOffset, to, toOffset, size, 0], (error: unknown, result: number) =>
          error ? reject(error) : resolve(result),
        );
      });
    },
    syncfs: (file) =>
      new Promise((resolve, reject) => {
        syncfs.async(file, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
      }),
  };
}

function offsetMemory(offset: number): Buffer {
  const memory = Buffer.allocUnsafeSlow(8);
  memory.writeBigInt64LE(BigInt(offset));
  return memory;
}
