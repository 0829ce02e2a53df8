/** What the long runs in `soak/` are made of. The tests run the same in a short form. */
export { corruptions } from './corruption/corruption.ts';
export { proveCorruption } from './corruption/corruption-run.ts';
export { CorruptionSite } from './corruption/corruption-site.ts';
export { type CrashRunOptions, type CrashRunResult, type JudgedKill, runCrashes } from './crash/crash-run.ts';
export { wantedPhases } from './crash/kill-plan.ts';
export { describeFault, planFaults, proveFault } from './faults/fault-run.ts';
export { faultVerbs } from './faults/fault-verbs.ts';
export { runChunkerFuzz } from './fuzz/chunker-target.ts';
export { type FuzzOptions, type FuzzResult, runFuzz } from './fuzz/fuzz-run.ts';
export { fuzzTargets } from './fuzz/fuzz-targets.ts';
export { genuineFileTargets } from './fuzz/genuine-files.ts';
export { scratchDirectory } from './scratch-directory.ts';
export { SeededRandom } from './seeded-random.ts';
export { stockRestics } from './stock-restic.ts';
export { testRepository } from './test-repository.ts';
