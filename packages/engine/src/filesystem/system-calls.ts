import { HoldfastError } from '@holdfast/base';
import koffi from 'koffi';

/**
 * The C library's functions that Node does not offer, called with the kernel's own types. glibc and musl export all
 * of these on every version that Node runs on; what some of them lack goes by number through `syscall`.
 * All return -1 for a failure, whose number is then `koffi.errno()`. Paths are bytes that end with a zero.
 */
export interface SystemCalls {
  openat(directory: number, path: Buffer, flags: number, mode: number): number;
  mkdirat(directory: number, path: Buffer, mode: number): number;
  mknodat(directory: number, path: Buffer, mode: number, device: number): number;
  symlinkat(target: Buffer, directory: number, path: Buffer): number;
  linkat(fromDirectory: number, from: Buffer, toDirectory: number, to: Buffer, flags: number): number;
  unlinkat(directory: number, path: Buffer, flags: number): number;
  renameat(fromDirectory: number, from: Buffer, toDirectory: number, to: Buffer): number;
  readlinkat(directory: number, path: Buffer, into: Buffer, size: number): number;
  fchownat(directory: number, path: Buffer, uid: number, gid: number, flags: number): number;
  chmod(path: Buffer, mode: number): number;
  utimensat(directory: number, path: Buffer, times: Buffer, flags: number): number;
  futimens(file: number, times: Buffer): number;
  statx(directory: number, path: Buffer, flags: number, mask: number, into: Buffer): number;
  getdents64(directory: number, into: Buffer, size: number): number;
  lseek(file: number, offset: number, whence: number): number;
  llistxattr(path: Buffer, into: Buffer | null, size: number): number;
  lgetxattr(path: Buffer, name: Buffer, into: Buffer | null, size: number): number;
  lsetxattr(path: Buffer, name: Buffer, value: Uint8Array, size: number, flags: number): number;
  lremovexattr(path: Buffer, name: Buffer): number;
  flistxattr(file: number, into: Buffer | null, size: number): number;
  fgetxattr(file: number, name: Buffer, into: Buffer | null, size: number): number;
  fsetxattr(file: number, name: Buffer, value: Uint8Array, size: number, flags: number): number;
  fremovexattr(file: number, name: Buffer): number;
  /** Waits on a thread of its own: a file system may take minutes. */
  syncfs(file: number): Promise<number>;
}

/** Linux numbers its system calls differently on each processor. */
const numbersOfArchitecture: Readonly<
  Record<string, { mknodat: number; statx: number; getdents64: number }>
> = {
  x64: { mknodat: 259, statx: 332, getdents64: 217 },
  arm64: { mknodat: 33, statx: 291, getdents64: 61 },
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
  const numbered = (number: number, ...types: readonly string[]) => {
    const call = library.func('syscall', 'long', ['long', ...types]);
    return (...values: readonly unknown[]): number => call(number, ...values);
  };
  const syncfs = named('int syncfs(int file)');
  return {
    openat: named('int openat(int directory, void *path, int flags, uint32_t mode)'),
    mkdirat: named('int mkdirat(int directory, void *path, uint32_t mode)'),
    mknodat: numbered(numbers.mknodat, 'int', 'void *', 'uint32_t', 'uint32_t'),
    symlinkat: named('int symlinkat(void *target, int directory, void *path)'),
    linkat: named('int linkat(int fromDirectory, void *from, int toDirectory, void *to, int flags)'),
    unlinkat: named('int unlinkat(int directory, void *path, int flags)'),
    renameat: named('int renameat(int fromDirectory, void *from, int toDirectory, void *to)'),
    readlinkat: named('long readlinkat(int directory, void *path, void *into, size_t size)'),
    fchownat: named('int fchownat(int directory, void *path, uint32_t uid, uint32_t gid, int flags)'),
    chmod: named('int chmod(void *path, uint32_t mode)'),
    utimensat: named('int utimensat(int directory, void *path, void *times, int flags)'),
    futimens: named('int futimens(int file, void *times)'),
    statx: numbered(numbers.statx, 'int', 'void *', 'int', 'uint32_t', 'void *'),
    getdents64: numbered(numbers.getdents64, 'int', 'void *', 'size_t'),
    lseek: named('long lseek(int file, long offset, int whence)'),
    llistxattr: named('long llistxattr(void *path, void *into, size_t size)'),
    lgetxattr: named('long lgetxattr(void *path, void *name, void *into, size_t size)'),
    lsetxattr: named('int lsetxattr(void *path, void *name, void *value, size_t size, int flags)'),
    lremovexattr: named('int lremovexattr(void *path, void *name)'),
    flistxattr: named('long flistxattr(int file, void *into, size_t size)'),
    fgetxattr: named('long fgetxattr(int file, void *name, void *into, size_t size)'),
    fsetxattr: named('int fsetxattr(int file, void *name, void *value, size_t size, int flags)'),
    fremovexattr: named('int fremovexattr(int file, void *name)'),
    syncfs: (file) =>
      new Promise((resolve, reject) => {
        syncfs.async(file, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
      }),
  };
}
