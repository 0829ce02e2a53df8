declare const brand: unique symbol;
type Branded<Brand extends string> = string & { readonly [brand]: Brand };

/** SHA-256 in lower-case hexadecimal, as in the names of a repository's files. */
export type BlobId = Branded<'BlobId'>;
export type PackId = Branded<'PackId'>;
export type IndexId = Branded<'IndexId'>;
export type SnapshotId = Branded<'SnapshotId'>;
export type KeyId = Branded<'KeyId'>;
export type LockId = Branded<'LockId'>;
/** A blob of type `tree`. */
export type TreeId = BlobId;
