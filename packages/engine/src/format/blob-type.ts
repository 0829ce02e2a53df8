/** `data`: a chunk of a file. `tree`: the JSON of one directory. The same bytes may exist as both. */
export type BlobType = 'data' | 'tree';
