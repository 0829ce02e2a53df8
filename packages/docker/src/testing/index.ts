export { type ServedImage, serveImage } from './registry.ts';
export { openTestEngine, type TestEngine } from './test-engine.ts';
