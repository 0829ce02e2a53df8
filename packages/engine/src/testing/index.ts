export { describeBackendContract } from './backend-contract.ts';
export { type CompareOptions, compareTrees } from './compare-trees.ts';
export { makeEveryKind } from './every-kind.ts';
export { type S3Place, s3Place } from './s3-place.ts';
export { type StockRestic, stockRestics } from './stock-restic.ts';
